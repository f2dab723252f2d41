"""Images as values: what they say without an engine, and as JSON."""

from __future__ import annotations

import json
from typing import Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.model import BuiltImage, ImageContainers, PublishedImage

TEXTS = st.lists(st.text(), max_size=3).map(tuple)
PUBLISHED = st.builds(
    PublishedImage,
    name=st.text(),
    repository=st.text(),
    digest=st.text(),
    tags=TEXTS,
    platforms=TEXTS,
    labels=st.dictionaries(st.text(), st.text(), max_size=3),
    version=st.none() | st.text(),
)
JSON: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda part: st.lists(part, max_size=3) | st.dictionaries(st.text(max_size=5), part, max_size=3),
    max_leaves=6,
)
KEYS = ("name", "repository", "digest", "tags", "platforms", "labels", "version")


@given(PUBLISHED)
def test_a_published_image_survives_json(image: PublishedImage) -> None:
    assert PublishedImage.from_json(json.loads(json.dumps(image.to_json()))) == image


@given(JSON | st.fixed_dictionaries(dict.fromkeys(KEYS, JSON)))
def test_other_json_is_refused_or_is_an_image_of_the_right_types(data: Any) -> None:
    try:
        image = PublishedImage.from_json(data)
    except ValueError:
        return
    assert image.to_json() == {"version": None, **{key: data[key] for key in KEYS if key in data}}


def test_keys_of_a_later_version_are_passed_over() -> None:
    image = PublishedImage(name="shop", repository="host/shop", digest="sha256:1")
    assert PublishedImage.from_json({**image.to_json(), "signature": 1}) == image


@pytest.mark.parametrize(("tags", "ref"), [(("1.4.0", "latest"), "host/shop:1.4.0@sha256:1"), ((), "host/shop@sha256:1")])
def test_the_reference_names_the_digest(tags: tuple[str, ...], ref: str) -> None:
    assert PublishedImage(name="shop", repository="host/shop", digest="sha256:1", tags=tags).ref == ref


def test_the_containers_of_a_built_image_are_asked_for_when_they_are_used() -> None:
    asked = []
    containers = ImageContainers(container=cast("Any", "c"), variants=cast("Any", ("v",)), targets={"test": cast("Any", "t")})

    def give() -> ImageContainers:
        asked.append("containers")
        return containers

    image = BuiltImage(name="shop", containers=give)
    assert "containers" not in repr(image)
    assert image == BuiltImage(name="shop", containers=lambda: containers)
    assert not asked
    assert (image.container, image.variants, image.targets) == (containers.container, containers.variants, containers.targets)
    assert asked


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"version": 1}, "version of a published image is not text"),
        ({"digest": None}, "digest of a published image is not text"),
        ({"tags": "latest"}, "tags of a published image is not a list of texts"),
        ({"platforms": [1]}, "platforms of a published image is not a list of texts"),
        ({"labels": ["a"]}, "labels of a published image are not names with texts"),
        ({"labels": {"a": 1}}, "labels of a published image are not names with texts"),
    ],
)
def test_a_value_of_another_type_is_refused(change: dict[str, Any], why: str) -> None:
    image = PublishedImage(name="shop", repository="host/shop", digest="sha256:1")
    with pytest.raises(ValueError, match=why):
        PublishedImage.from_json({**image.to_json(), **change})


def test_what_is_not_an_object_is_refused() -> None:
    with pytest.raises(ValueError, match="a published image is an object"):
        PublishedImage.from_json(["shop"])
