from __future__ import annotations

import pytest

from pipelines.flow.annotations import anything, same_type


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
