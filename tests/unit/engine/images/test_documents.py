"""Documents of images that are not what they have to be: each is refused with the member named, or read as Go reads it."""

from __future__ import annotations

import json
from typing import Any

import pytest

from pipelines.engine.embedded.errors import ImageDamaged
from pipelines.engine.embedded.images import documents, manifest
from tests.unit.engine.images.mutants import CONFIG, DIGEST, MANIFEST


def config(**members: Any) -> bytes:
    return json.dumps({"config": members}).encode()


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "it is not JSON"),
        (b"\xff{}", "it is not JSON"),
        (b"[]", "it is not a JSON object"),
        (b"null", "it is not a JSON object"),
        (b'{"a": ' + b"[" * 100_000 + b"]" * 100_000 + b"}", "it is not JSON|it is nested deeper than 64 levels"),
        (b'{"a": ' + b"[" * 100 + b"]" * 100 + b"}", "it is nested deeper than 64 levels"),
        (b'{"a": NaN}', "it is not JSON"),
        (b'{"a": 1e999}', "it is not JSON"),
        (b'{"a": ' + b"1" * 5000 + b"}", "it is not JSON"),
        (b'{"a": "' + b"x" * (5 << 20) + b'"}', "it has 52428.. bytes, more than 4 MiB"),
        (config(Env="A=1"), "config.Env is not a list"),
        (config(Env=["A=1", 2]), r"config.Env\[1\] is not a string"),
        (config(Env=["A=\0"]), r"config.Env\[0\] has a zero byte"),
        (config(Cmd=[None]), r"config.Cmd\[0\] is not a string"),
        (config(Labels={"a": None}), "config.Labels.a is not a string"),
        (config(ExposedPorts={"99999/tcp": {}}), "a key of config.ExposedPorts is not a port: 99999/tcp"),
        (config(Healthcheck={"Test": ["CMD"], "Interval": 10**30}), "config.Healthcheck.Interval is not an integer of 64 bits"),
        (config(Healthcheck={"Retries": True}), "config.Healthcheck.Retries is not an integer of 64 bits"),
        (b'{"rootfs": {"diff_ids": ["sha256:../../x"]}}', r"rootfs.diff_ids\[0\] is not a SHA-256 digest: sha256:../../x"),
        (b'{"history": [{"empty_layer": 1}]}', r"history\[0\].empty_layer is neither true nor false"),
    ],
)
def test_what_is_not_a_configuration(data: bytes, reason: str) -> None:
    with pytest.raises(ImageDamaged, match=rf"^damaged image: configuration of x: ({reason})$"):
        manifest.configuration(data, "x")


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"layers": [{"digest": DIGEST, "size": -1}]}, r"layers\[0\].size is negative"),
        ({"layers": [{"digest": DIGEST, "size": "5"}]}, r"layers\[0\].size is not an integer of 64 bits"),
        ({"layers": [{"digest": DIGEST}]}, r"layers\[0\].size is missing"),
        ({"layers": [{"digest": "sha256:" + "0" * 63 + "/", "size": 1}]}, r"layers\[0\].digest is not a SHA-256 digest: .*"),
        ({"layers": [{"digest": DIGEST, "size": 1}] * 1025}, "layers has more than 1024 members"),
        ({"config": []}, "config is not a JSON object"),
        ({"mediaType": 5}, "mediaType is not a string"),
        ({"annotations": {"a": {}}}, "annotations.a is not a string"),
    ],
)
def test_what_is_not_a_manifest(change: dict[str, Any], reason: str) -> None:
    with pytest.raises(ImageDamaged, match=rf"^damaged image: manifest of x: {reason}$"):
        manifest.read(json.dumps(MANIFEST | change).encode(), "x")


def test_halves_of_characters_are_replaced_as_go_does() -> None:
    found = manifest.configuration(b'{"config": {"Env": ["A=\\ud800x", "B=\\ud83d\\ude00"], "Labels": {"\\udfff": "v"}}}', "x")
    assert found["config"] == {"Env": ["A=\ufffdx", "B=😀"], "Labels": {"\ufffd": "v"}}


def test_null_is_as_good_as_missing_and_what_nobody_knows_is_let_through() -> None:
    found = manifest.configuration(json.dumps({"config": dict.fromkeys(CONFIG["config"]), "x": [1.5]}).encode(), "x")
    assert found["x"] == [1.5]
    assert documents.parse(b"{}", "x", documents.MANIFEST) == {}
