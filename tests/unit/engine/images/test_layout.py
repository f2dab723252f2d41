from __future__ import annotations

import json
from typing import Any

import pytest

from pipelines.engine.embedded.errors import InvalidInput
from pipelines.engine.embedded.images import manifest
from pipelines.engine.embedded.images.layers import ImageLayer
from pipelines.engine.embedded.images.layout import Layout, Variant, layout
from pipelines.engine.embedded.images.manifest import Descriptor, digest_bytes
from pipelines.engine.embedded.store.snapshot import SCRATCH


def layer(name: str, media_type: str = manifest.OCI_LAYER + "+gzip") -> ImageLayer:
    return ImageLayer(name, f"sha256:diff-{name}", Descriptor(media_type, f"sha256:blob-{name}", 7))


def image(config: dict[str, Any], *layers: ImageLayer, docker: bool = False, annotations: dict[str, str] | None = None) -> Layout:
    return layout([(Variant(SCRATCH, config, "linux/amd64", annotations or {}), layers)], docker=docker)


def documents(found: Layout) -> tuple[dict[str, Any], dict[str, Any]]:
    document = json.loads(found.documents[found.root.digest])
    return document, json.loads(found.documents[document["config"]["digest"]])


def test_documents_are_named_by_their_digest() -> None:
    found = image({"config": {"Env": ["A=1"]}}, layer("1"))
    assert {digest_bytes(data) for data in found.documents.values()} == found.documents.keys()
    assert found.root.size == len(found.documents[found.root.digest])
    assert [blob.digest for blob in found.blobs] == ["sha256:blob-1"]


def test_config_fits_the_layers() -> None:
    base = {
        "os": "plan9",
        "architecture": "x",
        "variant": "y",
        "created": "now",
        "author": "me",
        "rootfs": {"diff_ids": ["old"]},
        "config": {"User": "1"},
    }
    _, config = documents(image(base, layer("1"), layer("2")))
    assert config == {
        "os": "linux",
        "architecture": "amd64",
        "author": "me",
        "created": "1970-01-01T00:00:00Z",
        "config": {"User": "1"},
        "rootfs": {"type": "layers", "diff_ids": ["sha256:diff-1", "sha256:diff-2"]},
        "history": [{"created": "1970-01-01T00:00:00Z", "created_by": "lockgate"}] * 2,
    }
    assert base["created"] == "now"


def test_history_has_one_entry_for_every_layer() -> None:
    base = [{"created_by": "ADD"}, {"created_by": "ENV", "empty_layer": True}]
    _, config = documents(image({"history": base}, layer("1"), layer("2")))
    assert [entry["created_by"] for entry in config["history"]] == ["ADD", "ENV", "lockgate"]
    _, config = documents(image({"history": [*base, *base]}, layer("1")))
    assert [entry["created_by"] for entry in config["history"]] == ["lockgate"]


def test_one_spelling_whatever_the_order() -> None:
    one = image({"config": {"A": 1, "B": {"x": 1, "y": 2}}}, layer("1"))
    assert one == image({"config": {"B": {"y": 2, "x": 1}, "A": 1}}, layer("1"))


def test_time_is_that_of_source_date_epoch(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1700000000")
    assert documents(image({}))[1]["created"] == "2023-11-14T22:13:20Z"
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "yesterday")
    with pytest.raises(InvalidInput, match="SOURCE_DATE_EPOCH is not a number of seconds: yesterday"):
        image({})


@pytest.mark.parametrize(
    ("given", "docker", "expected"),
    [
        (manifest.DOCKER_LAYER + ".gzip", False, manifest.OCI_LAYER + "+gzip"),
        (manifest.OCI_LAYER + "+zstd", False, manifest.OCI_LAYER + "+zstd"),
        (manifest.OCI_LAYER, False, manifest.OCI_LAYER),
        (manifest.OCI_LAYER + "+gzip", True, manifest.DOCKER_LAYER + ".gzip"),
        (manifest.OCI_LAYER, True, manifest.DOCKER_LAYER),
    ],
)
def test_media_types(given: str, expected: str, *, docker: bool) -> None:
    document, _ = documents(image({}, layer("1", given), docker=docker))
    kinds = (manifest.DOCKER_MANIFEST, manifest.DOCKER_CONFIG) if docker else (manifest.OCI_MANIFEST, manifest.OCI_CONFIG)
    assert (document["mediaType"], document["config"]["mediaType"], document["layers"][0]["mediaType"]) == (*kinds, expected)


def test_several_platforms_are_an_index_over_shared_layers() -> None:
    variants = [(Variant(SCRATCH, {}, platform, {"a": platform}), [layer("1")]) for platform in ("linux/amd64", "linux/arm/v6")]
    found = layout(variants)
    index = json.loads(found.documents[found.root.digest])
    assert (found.root.media_type, index["mediaType"]) == (manifest.OCI_INDEX, manifest.OCI_INDEX)
    assert [entry["platform"] for entry in index["manifests"]] == [
        {"os": "linux", "architecture": "amd64"},
        {"os": "linux", "architecture": "arm", "variant": "v6"},
    ]
    assert [json.loads(found.documents[one.digest])["annotations"] for one in found.manifests] == [
        {"a": "linux/amd64"},
        {"a": "linux/arm/v6"},
    ]
    assert len(found.blobs) == 1
    assert layout(variants, docker=True).root.media_type == manifest.DOCKER_LIST


def test_docker_has_no_type_for_zstd() -> None:
    with pytest.raises(InvalidInput, match="Docker's media types have none for layers in zstd"):
        image({}, layer("1", manifest.OCI_LAYER + "+zstd"), docker=True)


def test_no_platform_is_no_image() -> None:
    with pytest.raises(InvalidInput):
        layout([])
