"""Which image a name stands for: the project's lock, the user's, the machine's, the package."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from pipelines.config.lock import locked_images, packaged, put, read_lock
from pipelines.errors import ConfigError, UsageError
from pipelines.model import LockedImage
from tests.unit.config.conftest import ALONE

if TYPE_CHECKING:
    from tests.unit.config.conftest import Folder

DIGEST = "localhost:5000/library/python@sha256:" + "0" * 64
SMALL = '[project]\nname = "shop"\n'


def lock(**references: str) -> str:
    return json.dumps(
        {"images": {name: {"reference": f"{text}@sha256:{'1' * 64}", "origin": "built"} for name, text in references.items()}}
    )


def test_without_any_lock_the_official_images_count(folder: Folder) -> None:
    found = locked_images(folder.path, ALONE)
    assert set(found) == {"python", "trivy", "k6", "trivy-db"}
    assert {image.layer for image in found.values()} == {"package"}
    assert not any(image.fixture for image in found.values())
    for name, image in found.items():
        assert image.artifact is (name == "trivy-db")
        assert image.artifact or re.fullmatch(r"[\w./-]+@sha256:[0-9a-f]{64}", image.reference)


def test_the_nearest_lock_that_knows_a_name_counts(folder: Folder, tmp_path: Path) -> None:
    user, machine = tmp_path / "user", tmp_path / "machine"
    folder.environ = {"LOCKGATE_CONFIG_DIRS": f"{user}{os.pathsep}{machine}"}
    folder.write("machine/images.lock", lock(python="m/python", trivy="m/trivy", k6="m/k6"))
    folder.write("user/images.lock", lock(python="u/python", trivy="u/trivy"))
    folder.write(".lockgate/images.lock", lock(python="p/python"))
    locked = folder.load(SMALL).project.locked
    assert {name: (image.reference[:2], image.layer) for name, image in locked.items()} == {
        "python": ("p/", "project"),
        "trivy": ("u/", "user"),
        "k6": ("m/", "machine"),
        "trivy-db": ("gh", "package"),
    }
    assert locked["trivy"].where == str(user / "images.lock")


def test_load_finds_the_lock_beside_the_configuration(folder: Folder) -> None:
    images = {"python": {"reference": DIGEST, "origin": "built"}, "trivy-db": {"reference": DIGEST, "origin": "built", "fixture": True}}
    file = folder.write(".lockgate/images.lock", json.dumps({"images": images}))
    locked = folder.load(SMALL).project.locked
    assert locked["python"] == LockedImage(name="python", reference=DIGEST, origin="built", where=str(file))
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
        json.dumps({"images": {"a": {"reference": DIGEST, "origin": "built", "artifact": 1}}}),
    ],
)
def test_a_lock_set_up_did_not_write(folder: Folder, document: str) -> None:
    file = folder.write(".lockgate/images.lock", document)
    with pytest.raises(ConfigError, match=r"images\.lock"):
        read_lock(file)


def test_entries_are_set_and_removed_beside_the_others(tmp_path: Path) -> None:
    file = tmp_path / "new/images.lock"
    python = LockedImage(name="python", reference=DIGEST, origin="chosen", layer="user", where=str(file))
    database = LockedImage(name="trivy-db", reference="r.example/db:2", origin="chosen", artifact=True, layer="user", where=str(file))
    put(file, {"python": python, "trivy-db": database})
    assert read_lock(file, "user") == {"python": python, "trivy-db": database}
    put(file, {"python": None})
    assert read_lock(file, "user") == {"trivy-db": database}
    assert [path.name for path in file.parent.iterdir()] == ["images.lock"]


def test_a_folder_that_cannot_be_written_is_one_message(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(UsageError, match="cannot be written"):
        put(tmp_path / "file/images.lock", dict(packaged()))


def test_the_official_images_are_part_of_the_wheel(tmp_path: Path) -> None:
    """Built as `pip install` builds it, and read from the zip: files that are not Python are easily forgotten."""
    root = Path(__file__).parents[3]
    code = (
        "import sys; from hatchling.builders.wheel import WheelBuilder; "
        "print(next(WheelBuilder(sys.argv[1]).build(directory=sys.argv[2], versions=['standard'])))"
    )
    built = subprocess.run([sys.executable, "-c", code, str(root), str(tmp_path)], capture_output=True, text=True, check=True)
    wheel = built.stdout.strip().splitlines()[-1]
    ask = "import sys; sys.path.insert(0, sys.argv[1]); from pipelines.config.lock import packaged; print(*packaged())"
    said = subprocess.run([sys.executable, "-c", ask, wheel], cwd=tmp_path, capture_output=True, text=True, check=True)
    assert said.stdout.split() == ["python", "trivy", "k6", "trivy-db"]
