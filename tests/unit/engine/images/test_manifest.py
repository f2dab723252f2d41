from __future__ import annotations

import json
from typing import Any

import pytest

from pipelines.engine.embedded.errors import ImageError
from pipelines.engine.embedded.images import manifest, platforms

CONFIG = {"mediaType": manifest.OCI_CONFIG, "digest": "sha256:c", "size": 1}


def entry(platform: str, digest: str) -> dict[str, Any]:
    system, architecture, variant = (*platform.split("/"), "")[:3]
    facts = {"os": system, "architecture": architecture} | ({"variant": variant} if variant else {})
    return {"mediaType": manifest.OCI_MANIFEST, "digest": digest, "size": 1, "platform": facts}


def chosen(wanted: str, *offered: str) -> str:
    index = {"schemaVersion": 2, "manifests": [entry(platform, platform) for platform in offered]}
    return manifest.choose(index, platforms.parse(wanted), "x").digest


@pytest.mark.parametrize(
    ("wanted", "offered", "expected"),
    [
        ("linux/amd64", ["linux/arm64", "linux/amd64"], "linux/amd64"),
        ("linux/amd64", ["unknown/amd64", "linux/unknown", "linux/amd64"], "linux/amd64"),
        ("linux/arm64", ["linux/arm64/v8"], "linux/arm64/v8"),
        ("linux/amd64/v3", ["linux/amd64", "linux/amd64/v3"], "linux/amd64/v3"),
        ("linux/amd64/v3", ["linux/amd64/v4", "linux/amd64"], "linux/amd64"),
        ("linux/arm/v7", ["linux/arm/v5", "linux/arm/v6"], "linux/arm/v6"),
        ("linux/arm/v7", ["linux/arm/v8", "linux/arm/v5"], "linux/arm/v5"),
    ],
)
def test_choice(wanted: str, offered: list[str], expected: str) -> None:
    assert chosen(wanted, *offered) == expected


@pytest.mark.parametrize("offered", [[], ["linux/arm64"], ["windows/amd64"], ["linux/amd64/v3"]])
def test_no_choice(offered: list[str]) -> None:
    with pytest.raises(ImageError, match="no match for platform in manifest: not found"):
        chosen("linux/amd64", *offered)


def test_what_is_offered_is_told_without_attestations() -> None:
    with pytest.raises(ImageError, match=r"\(it has linux/arm64\)"):
        chosen("linux/amd64", "unknown/unknown", "linux/arm64")


def test_an_attestation_is_no_image() -> None:
    document = {"schemaVersion": 2, "config": {**CONFIG, "mediaType": "application/vnd.in-toto+json"}, "layers": []}
    with pytest.raises(ImageError, match=r"is not a container image: its config has the media type application/vnd.in-toto\+json"):
        manifest.image(document, "sha256:m", "x")


@pytest.mark.parametrize("data", [b"<html>", b"[]", b'{"schemaVersion": 1}'])
def test_unreadable(data: bytes) -> None:
    with pytest.raises(ImageError):
        manifest.read(data, "x")


def test_index_without_media_type_is_known_by_its_manifests() -> None:
    assert manifest.is_index({"schemaVersion": 2, "manifests": []})
    assert manifest.is_index({"mediaType": manifest.DOCKER_LIST, "manifests": []})
    assert not manifest.is_index({"schemaVersion": 2, "config": CONFIG})


def test_equal_values_have_one_spelling() -> None:
    assert manifest.dump({"b": 1, "a": "ä"}) == manifest.dump(json.loads('{"a": "\\u00e4", "b": 1}')) == '{"a":"ä","b":1}'.encode()
