from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from pipelines.config.lock import read_lock
from pipelines.errors import ConfigError
from pipelines.model import LockedImage

if TYPE_CHECKING:
    from tests.unit.config.conftest import Folder

DIGEST = "localhost:5000/library/python@sha256:" + "0" * 64


def test_no_lock_is_an_empty_one(folder: Folder) -> None:
    assert read_lock(folder.path) == {}


def test_load_finds_the_lock_beside_the_configuration(folder: Folder) -> None:
    images = {"python": {"reference": DIGEST, "origin": "built"}, "trivy-db": {"reference": DIGEST, "origin": "built", "fixture": True}}
    folder.write(".lockgate/images.lock", json.dumps({"images": images}))
    locked = folder.load('[project]\nname = "shop"\n').project.locked
    assert locked["python"] == LockedImage(name="python", reference=DIGEST, origin="built")
    assert locked["trivy-db"].fixture


@pytest.mark.parametrize(
    "document",
    [
        "{",
        "[]",
        '{"images": []}',
        '{"images": {"a": {}}}',
        '{"images": {"a": 3}}',
        json.dumps({"images": {"a": {"reference": "python:3.11", "origin": "built"}}}),
        json.dumps({"images": {"a": {"reference": DIGEST, "origin": "found"}}}),
        json.dumps({"images": {"a": {"reference": DIGEST, "origin": "built", "fixture": "yes"}}}),
    ],
)
def test_a_lock_set_up_did_not_write(folder: Folder, document: str) -> None:
    folder.write(".lockgate/images.lock", document)
    with pytest.raises(ConfigError, match=r"images\.lock"):
        read_lock(folder.path)
