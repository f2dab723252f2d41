from __future__ import annotations

import pytest

from pipelines.errors import GraphError
from pipelines.flow.annotations import anything, parameters_of, provides_of, same_type
from pipelines.model import BuiltImage


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("BuiltImage", "BuiltImage", True),
        ("BuiltImage", "pipelines.BuiltImage", True),
        ("pipelines.model.image.BuiltImage", "pipelines.BuiltImage", True),
        ("'BuiltImage'", "BuiltImage | None", True),
        ("None | BuiltImage", "BuiltImage", True),
        ("dagger.Client", "Client", True),
        ("dagger.client.gen.Client", "dagger.Client", True),
        ("redis.Client", "dagger.Client", False),
        ("BuiltImage", "Images", False),
        ("list[BuiltImage]", "BuiltImage", False),
        ("tuple[BuiltImage | None, ...]", "tuple[BuiltImage | None, ...]", True),
    ],
)
def test_types_are_compared_as_text(one: str, other: str, same: bool) -> None:
    assert same_type(one, other) is same
    assert same_type(other, one) is same


@pytest.mark.parametrize(
    ("annotation", "unknown"), [(None, True), ("Any", True), ("object", True), ("typing.Any", True), ("BuiltImage", False)]
)
def test_what_says_nothing(annotation: str | None, unknown: bool) -> None:
    assert anything(annotation) is unknown


def test_annotations_are_read_as_they_are_written_and_classes_by_their_full_name() -> None:
    async def step(text: BuiltImage, *, kind: BuiltImage, many: list[str], plain: object, optional: int = 3) -> None: ...

    step.__annotations__ |= {"kind": BuiltImage, "many": list[str]}
    del step.__annotations__["plain"]
    found = {parameter.name: parameter.annotation for parameter in parameters_of(step)}
    assert found == {"text": "BuiltImage", "kind": "pipelines.model.image.BuiltImage", "many": "list[str]", "plain": None}
    step.__annotations__["return"] = None
    assert provides_of(step) is None


def test_what_cannot_be_met_by_name_is_refused() -> None:
    async def step(*images: object) -> None: ...

    with pytest.raises(GraphError, match=r"step takes \*images: .*, which cannot be met by name"):
        parameters_of(step)
