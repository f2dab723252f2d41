"""`lockgate init` on the command line."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Protocol

import pytest

if TYPE_CHECKING:
    from pathlib import Path


class Said(Protocol):
    code: int
    out: str
    err: str


Lockgate = Callable[..., Said]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_without_a_dockerfile_nothing_is_written_and_one_is_offered(folder: Path, lockgate: Lockgate) -> None:
    (folder / "main.py").touch()
    said = lockgate("init")
    assert (said.code, said.out) == (2, "")
    assert "there is no Dockerfile" in said.err
    assert "lockgate init --dockerfile" in said.err
    assert [path.name for path in folder.iterdir()] == ["main.py"]
    said = lockgate("init", "--dockerfile")
    assert (said.code, said.err) == (0, "wrote Dockerfile, .dockerignore, lockgate.toml; next: lockgate plan\n")
    assert lockgate("plan").code == 0


def test_a_configured_folder_gets_no_dockerfile_either(folder: Path, lockgate: Lockgate) -> None:
    (folder / "main.py").touch()
    (folder / "lockgate.toml").write_text("[project]\nname = 'x'\n")
    assert lockgate("init", "--dockerfile").code == 2
    assert not (folder / "Dockerfile").exists()


def test_what_is_only_printed_is_not_written(folder: Path, lockgate: Lockgate) -> None:
    (folder / "Dockerfile").write_text("FROM scratch\n")
    said = lockgate("init", "--print")
    assert (said.code, "[project]" in said.out) == (0, True)
    assert not (folder / "lockgate.toml").exists()
    assert lockgate("init", "--print", "--dockerfile").code == 2
