"""What start-up must not import; the times are measured by benchmarks/startup.py."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pathlib import Path

PROGRAM = "import sys; from pipelines.__main__ import main; code = main(sys.argv[1:]); print(*sys.modules, file=sys.stderr); sys.exit(code)"
HEAVY = {"dagger", "rich", "anyio", "asyncio", "graphql", "gql", "httpx", "opentelemetry"}


def imported(folder: Path, *words: str) -> set[str]:
    done = subprocess.run([sys.executable, "-c", PROGRAM, *words], cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return set(done.stderr.splitlines()[-1].split())


@pytest.mark.parametrize("words", [["--help"], ["run", "--help"], ["--version"], ["doctor", "--help"]], ids=" ".join)
def test_help_imports_nothing_heavy(tmp_path: Path, words: list[str]) -> None:
    assert not imported(tmp_path, *words) & (HEAVY | {"pydantic"})


@pytest.mark.parametrize("words", [["plan"], ["plan", "--json"], ["config", "show"]], ids=" ".join)
def test_plan_imports_no_engine_and_no_board(project: Path, words: list[str]) -> None:
    assert not imported(project, *words) & HEAVY


def test_a_wrong_configuration_is_told_without_them(tmp_path: Path) -> None:
    (tmp_path / "lockgate.toml").write_text("[pref.x]\n")
    done = subprocess.run([sys.executable, "-c", PROGRAM, "plan"], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert not set(done.stderr.splitlines()[-1].split()) & HEAVY
