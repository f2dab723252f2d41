from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from pipelines.steps.image.build_context import OURS, caches_below, exclusions, patterns

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


@pytest.mark.parametrize("variable", ["LOCKGATE_CACHE", "LOCKGATE_STORE"])
def test_caches_inside_the_project_are_no_part_of_it(tmp_path: Path, variable: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A CI that caches nothing outside the project's folder keeps them there."""
    monkeypatch.setenv(variable, str(tmp_path / ".cache/lock*gate"))
    (tmp_path / ".dockerignore").write_text("*\n!.cache\n")
    assert exclusions(tmp_path, "Dockerfile")[-1] == ".cache/lock\\*gate"
    assert caches_below(tmp_path / "other", os.environ) == ()
    assert caches_below(tmp_path, {variable: str(tmp_path)}) == ()


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
