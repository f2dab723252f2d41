"""`lockgate images`: who says what a name stands for, and saying it anew."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from typing import TYPE_CHECKING, Protocol

import pytest

from tests.unit.registry.conftest import Server, manifest
from tests.unit.registry.conftest import server as server  # noqa: PLC0414 - the fixture, by its own name

if TYPE_CHECKING:
    from pathlib import Path


class Said(Protocol):
    code: int
    out: str
    err: str


Lockgate = Callable[..., Said]


@pytest.fixture
def user(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The user's folder; the working directory is another, without a project."""
    monkeypatch.setenv("LOCKGATE_CONFIG_DIRS", str(tmp_path / "user"))
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    return tmp_path / "user"


def listed(lockgate: Lockgate) -> dict[str, dict[str, object]]:
    said = lockgate("images", "--json")
    assert said.code == 0, said.err
    return {image["name"]: image for image in json.loads(said.out)["images"]}


def test_a_chosen_image_is_kept_by_digest_for_every_project(user: Path, lockgate: Lockgate, server: Server) -> None:
    assert listed(lockgate)["python"]["layer"] == "package"
    body = manifest()
    server.say(200, body)
    said = lockgate("images", "use", "python", f"{server.address}/python:3", "mine", f"{server.address}/mine")
    assert said.code == 0, said.err
    python = listed(lockgate)["python"]
    assert python["reference"] == f"{server.address}/python@sha256:{hashlib.sha256(body).hexdigest()}"
    assert (python["layer"], python["where"], python["origin"]) == ("user", str(user / "images.lock"), "chosen")
    assert "mine" in lockgate("images").out
    assert lockgate("images", "forget", "python", "mine").code == 0
    assert listed(lockgate)["python"]["layer"] == "package"
    assert lockgate("images", "forget", "python").code == 2


def test_the_database_keeps_its_tag_because_it_moves(user: Path, lockgate: Lockgate, server: Server) -> None:
    server.say(200, manifest("application/vnd.aquasec.trivy.config.v1+json"))
    assert lockgate("images", "use", "trivy-db", f"{server.address}/trivy-db:2").code == 0
    database = listed(lockgate)["trivy-db"]
    assert (database["reference"], database["artifact"]) == (f"{server.address}/trivy-db:2", True)


def test_a_digest_needs_no_answer_since_the_engine_may_have_another_network(user: Path, lockgate: Lockgate) -> None:
    said = lockgate("images", "use", "python", f"127.0.0.1:1/python@sha256:{'a' * 64}")
    assert said.code == 0, said.err
    assert "could not be looked up" in said.err
    assert listed(lockgate)["python"]["reference"] == f"127.0.0.1:1/python@sha256:{'a' * 64}"


def test_a_project_has_a_lock_of_its_own(user: Path, lockgate: Lockgate, server: Server, tmp_path: Path) -> None:
    server.say(200, manifest())
    words = ("images", "use", "k6", f"{server.address}/k6:1", "--project")
    assert lockgate(*words).code == 2
    (tmp_path / "elsewhere/lockgate.toml").write_text('[project]\nname = "x"\n')
    assert lockgate(*words).code == 0
    assert listed(lockgate)["k6"]["layer"] == "project"
    assert "image k6" in lockgate("config", "show").out
    assert json.loads(lockgate("config", "show", "--json").out)["images"]["k6"]["layer"] == "project"


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["python"], (2, "has no reference")),
        (["a/b", "r.example/x"], (2, "is not a name")),
        (["python", "r.example/X"], (2, "is not an image reference")),
        (["python", "127.0.0.1:1/x"], (4, "does not answer")),
    ],
)
def test_what_cannot_be_is_one_message(user: Path, lockgate: Lockgate, words: list[str], told: tuple[int, str]) -> None:
    said = lockgate("images", "use", *words)
    assert (said.code, said.out) == (told[0], "")
    assert told[1] in said.err
    assert not user.exists()
