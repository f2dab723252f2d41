from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pipelines.steps.context import OURS, exclusions, patterns

if TYPE_CHECKING:
    from pathlib import Path


def test_without_an_ignore_file_only_our_own_things_stay_out(tmp_path: Path) -> None:
    assert exclusions(tmp_path, "Dockerfile") == OURS


def test_the_ignore_file_decides_and_the_dockerfile_always_stays(tmp_path: Path) -> None:
    (tmp_path / ".dockerignore").write_text("# no\n\n*\n!src\n /build/ \n!.git\n")
    assert exclusions(tmp_path, "Dockerfile") == (*OURS, "*", "!src", "build/", "!.git", "!Dockerfile", "!.dockerignore")


def test_a_dockerfiles_own_ignore_file_wins(tmp_path: Path) -> None:
    (tmp_path / "docker").mkdir()
    (tmp_path / ".dockerignore").write_text("common")
    (tmp_path / "docker/App.dockerignore").write_text("own")
    assert exclusions(tmp_path, "docker/App")[-3:] == ("own", "!docker/App", "!docker/App.dockerignore")


@pytest.mark.parametrize(
    ("line", "found"),
    [
        ("# x", ()),
        (" # x", ("# x",)),
        ("\ufeff", ("\ufeff",)),
        ("!", ()),
        ("/", ()),
        (".", ()),
        ("! /a ", ("!a",)),
        ("a b", ("a b",)),
        ("\r", ()),
    ],
)
def test_single_lines(line: str, found: tuple[str, ...]) -> None:
    assert patterns(line) == found


def test_a_cache_in_the_context_is_left_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOCKGATE_CACHE", str(tmp_path / ".cache" / "lock[gate]"))
    assert exclusions(tmp_path, "Dockerfile") == (*OURS, r".cache/lock\[gate\]")
    (tmp_path / ".dockerignore").write_text("!.cache\n")
    assert exclusions(tmp_path, "Dockerfile")[-1] == r".cache/lock\[gate\]"
    monkeypatch.setenv("LOCKGATE_CACHE", str(tmp_path))
    assert exclusions(tmp_path, "Dockerfile")[:3] == OURS
