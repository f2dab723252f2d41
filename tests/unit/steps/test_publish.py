from __future__ import annotations

import pytest

from pipelines.errors import StepFailed
from pipelines.steps.common.tags import Tag
from pipelines.steps.publish.run import CANDIDATE, Pushed, push_tags

NEW, OLD = "sha256:new", "sha256:old"
VERSION, LATEST = Tag(name="1.4.0", immutable=True), Tag(name="latest", immutable=False)


class Registry:
    """A repository that knows tags; every push of the image at hand gives `NEW`, or what `drift` says for a tag."""

    address = "host/shop"

    def __init__(self, tags: dict[str, str] | None = None, drift: dict[str, str] | None = None) -> None:
        self.tags = dict(tags or {})
        self.drift = drift or {}
        self.pushed: list[str] = []

    async def push(self, tag: str) -> str:
        self.pushed.append(tag)
        self.tags[tag] = self.drift.get(tag, NEW)
        return self.tags[tag]

    async def remote(self, tag: str) -> str | None:
        return self.tags.get(tag)


async def push(registry: Registry, *tags: Tag) -> Pushed:
    return await push_tags(registry, tags, lambda _text: None)


async def test_a_new_version_is_pushed_under_every_tag() -> None:
    registry = Registry({"latest": OLD})
    assert await push(registry, VERSION, LATEST) == Pushed(digest=NEW, tags=("1.4.0", "latest"), unchanged=False)
    assert registry.pushed == ["1.4.0", "latest"]


async def test_the_same_image_again_changes_nothing() -> None:
    registry = Registry({"1.4.0": NEW, "latest": NEW})
    assert await push(registry, VERSION, LATEST) == Pushed(digest=NEW, tags=("1.4.0", "latest"), unchanged=True)
    assert registry.pushed == [CANDIDATE, "latest"]


async def test_an_immutable_tag_never_moves_and_nothing_else_is_pushed() -> None:
    registry = Registry({"1.4.0": OLD, "latest": OLD})
    with pytest.raises(StepFailed, match="immutable") as caught:
        await push(registry, VERSION, LATEST)
    assert registry.tags == {"1.4.0": OLD, "latest": OLD, CANDIDATE: NEW}
    assert OLD in caught.value.message
    assert NEW in caught.value.message
    assert caught.value.next_step is not None


async def test_of_two_immutable_tags_one_taken_stops_both() -> None:
    registry = Registry({"1.4.0": OLD})
    with pytest.raises(StepFailed):
        await push(registry, Tag(name="2.0.0", immutable=True), VERSION)
    assert "2.0.0" not in registry.tags


async def test_a_missing_immutable_tag_joins_one_that_is_there() -> None:
    registry = Registry({"1.4.0": NEW})
    assert await push(registry, VERSION, Tag(name="release", immutable=True)) == Pushed(
        digest=NEW, tags=("1.4.0", "release"), unchanged=False
    )
    assert registry.tags["release"] == NEW


async def test_a_moving_tag_moves() -> None:
    registry = Registry({"latest": OLD})
    assert await push(registry, LATEST) == Pushed(digest=NEW, tags=("latest",), unchanged=False)
    assert registry.pushed == ["latest"]


async def test_tags_with_different_digests_are_an_error() -> None:
    with pytest.raises(StepFailed, match="got digest"):
        await push(Registry(drift={"latest": "sha256:other"}), VERSION, LATEST)


async def known(registry: Registry, *tags: Tag) -> Pushed:
    """Push an image that came out of the registry, where it is `OLD`."""
    return await push_tags(registry, tags, lambda _text: None, earlier=OLD)


async def test_a_release_found_in_the_registry_is_not_pushed_again() -> None:
    registry = Registry({"1.4.0": OLD, "latest": OLD})
    assert await known(registry, VERSION, LATEST) == Pushed(digest=OLD, tags=("1.4.0", "latest"), unchanged=True)
    assert registry.pushed == []


async def test_a_moving_tag_does_not_go_back_to_a_release_found_in_the_registry() -> None:
    registry = Registry({"1.4.0": OLD, "latest": "sha256:newer"})
    assert await known(registry, VERSION, LATEST) == Pushed(digest=OLD, tags=("1.4.0",), unchanged=True)
    assert registry.tags["latest"] == "sha256:newer"


async def test_a_missing_tag_joins_a_release_found_in_the_registry_where_the_engine_keeps_its_bytes() -> None:
    registry = Registry({"1.4.0": OLD}, drift={CANDIDATE: OLD, "latest": OLD})
    assert await known(registry, VERSION, LATEST) == Pushed(digest=OLD, tags=("1.4.0", "latest"), unchanged=False)
    assert registry.tags["latest"] == OLD


async def test_where_it_does_not_a_missing_moving_tag_is_left_out_and_an_immutable_one_is_an_error() -> None:
    registry = Registry({"1.4.0": OLD})
    assert await known(registry, VERSION, LATEST) == Pushed(digest=OLD, tags=("1.4.0",), unchanged=True)
    assert "latest" not in registry.tags
    with pytest.raises(StepFailed, match="release is missing"):
        await known(registry, VERSION, Tag(name="release", immutable=True))
    assert "release" not in registry.tags


async def test_a_release_that_moved_since_it_was_found_is_refused() -> None:
    registry = Registry({"1.4.0": "sha256:other"})
    with pytest.raises(StepFailed, match="immutable"):
        await known(registry, VERSION)
