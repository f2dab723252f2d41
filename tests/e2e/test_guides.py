"""The guides are run as they stand: their files written, their commands typed, in the folder of a stranger on this machine."""

from __future__ import annotations

import re
import subprocess
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

from tests.e2e.conftest import CHECKOUT

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

pytestmark = [pytest.mark.engine, pytest.mark.root, pytest.mark.registry, pytest.mark.timeout(300)]

BLOCK = re.compile(r"^```(\w+) ?([\w. ]*)\n(.*?)^```", re.MULTILINE | re.DOTALL)
EXIT = re.compile(r"^(.*?)\s*# exit ([\d or]+)$")


@dataclass(frozen=True)
class Typed:
    """A command, how it may end, and how it ended."""

    command: str
    allowed: frozenset[int]
    code: int
    said: str


def follow(page: str, folder: Path, environ: Mapping[str, str]) -> Iterator[Typed]:
    """Do what a page says, in its order: a block with a file's name is added to that file, `$` lines of a console block are typed."""
    folder.mkdir()
    for kind, name, text in BLOCK.findall((CHECKOUT / "docs" / page).read_text(encoding="utf-8")):
        if kind == "console":
            yield from (typed(line.removeprefix("$ "), folder, environ) for line in text.splitlines())
        elif name.startswith("shown "):
            assert text in (folder / name.removeprefix("shown ")).read_text()
        else:
            with (folder / name).open("a") as file:
                file.write(text)


def typed(line: str, folder: Path, environ: Mapping[str, str]) -> Typed:
    found = EXIT.match(line)
    command, allowed = (found[1], frozenset(map(int, found[2].split(" or ")))) if found else (line, frozenset({0}))
    done = subprocess.run(["bash", "-c", command], cwd=folder, env=dict(environ), capture_output=True, text=True, check=False)
    assert done.returncode in allowed, f"{command}\n{done.stdout}\n{done.stderr}"
    return Typed(command, allowed, done.returncode, done.stdout + done.stderr)


def test_a_first_project_in_ten_minutes(stranger: dict[str, str], tmp_path: Path) -> None:
    steps = list(follow("first-project.md", tmp_path / "greeting", stranger))
    first, second = [step for step in steps if step.command == "lockgate run test"][:2]
    assert "passed" in first.said
    assert "cached" in second.said
    assert not [step.command for step in steps if "ci/setup" in step.said]


def test_steps_in_python(stranger: dict[str, str], tmp_path: Path) -> None:
    steps = {step.command: step for step in follow("python-steps.md", tmp_path / "site", stranger)}
    assert "The server answers as it was built." in steps["lockgate plan"].said
    assert "imports dagger" not in steps["lockgate plan"].said
    assert 'the server says {"status": "up"}' in steps["lockgate logs step.smoke"].said
    assert "the server is not retired yet" in steps["lockgate run strict"].said
    assert "retire it first" in steps["lockgate run strict"].said
