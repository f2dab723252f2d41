from __future__ import annotations

import pytest

from pipelines.flow.types import anything, same_type


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("Image", "Image", True),
        ("Image", "pipelines.Image", True),
        ("pipelines.model.image.Image", "pipelines.Image", True),
        ("'Image'", "Image | None", True),
        ("None | Image", "Image", True),
        ("dagger.Client", "Client", True),
        ("dagger.client.gen.Client", "dagger.Client", True),
        ("redis.Client", "dagger.Client", False),
        ("Image", "Images", False),
        ("list[Image]", "Image", False),
        ("tuple[Image | None, ...]", "tuple[Image | None, ...]", True),
    ],
)
def test_types_are_compared_as_text(one: str, other: str, same: bool) -> None:
    assert same_type(one, other) is same
    assert same_type(other, one) is same


@pytest.mark.parametrize(("annotation", "unknown"), [(None, True), ("Any", True), ("object", True), ("typing.Any", True), ("Image", False)])
def test_what_says_nothing(annotation: str | None, unknown: bool) -> None:
    assert anything(annotation) is unknown
