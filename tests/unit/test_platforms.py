"""Outside the embedded engine nothing needs Linux: macOS with a Dagger engine is a place to run on."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from pipelines.engine.choice import embedded
from pipelines.errors import EngineUnavailable

ROOT = Path(__file__).parents[2]
LINUX_ONLY = ("dockerfile", "isal", "backports", "re2")
BLOCK = f"""
import sys


class Blocked:
    def find_spec(self, name, path=None, target=None):
        if name.startswith("pipelines.engine.embedded") or name.partition(".")[0] in {LINUX_ONLY!r}:
            raise ImportError(f"{{name}} is not to be had on this platform")


sys.meta_path.insert(0, Blocked())
"""
RUN = f"{BLOCK}from pipelines.__main__ import main\nsys.exit(main(sys.argv[1:]))\n"
ROOMS = ("cli", "config", "flow", "foundation", "model", "providers", "registry", "report", "steps")
ABOUT_THE_ENGINE = {"book", "explain"}
"""Modules of `plan --explain`, which is about what the embedded engine has done."""
ON_MACOS = {"ahocorasick-rs", "anyio", "click", "dagger-io", "graphql-core", "h11", "httpx", "pathspec", "platformdirs", "pydantic", "rich"}
"""Distributions that were seen to have wheels for macOS 11 on both processors, or are pure Python."""


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    copy = tmp_path / "shop"
    shutil.copytree(ROOT / "examples/shop", copy, ignore=shutil.ignore_patterns(".lockgate", "lockgate.local.toml", "__pycache__"))
    return copy


def run(program: str, folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-c", program, *words], cwd=folder, capture_output=True, text=True, check=False)


@pytest.mark.parametrize("words", ["plan", "plan --publish --json", "config show", "config schema", "images", "init --print", "run --help"])
def test_the_command_line_works_without_the_embedded_engine(shop: Path, words: str) -> None:
    done = run(RUN, shop, *words.split())
    assert done.returncode == 0, done.stderr
    assert done.stdout


def test_doctor_needs_no_distribution_that_is_there_on_linux_only(shop: Path) -> None:
    done = run(RUN.replace('name.startswith("pipelines.engine.embedded") or ', ""), shop, "doctor", "--json")
    assert done.returncode in {0, 4}, done.stderr
    assert json.loads(done.stdout)["checks"]


def test_every_room_but_the_engine_is_imported_without_it(tmp_path: Path) -> None:
    """What runs when a Dagger engine answers."""
    files = [path for room in ROOMS for path in sorted((ROOT / "pipelines" / room).rglob("*.py")) if path.stem not in ABOUT_THE_ENGINE]
    modules = [".".join(path.relative_to(ROOT).with_suffix("").parts) for path in files if path.name != "__init__.py"]
    done = run(f"{BLOCK}\nimport importlib\nfor name in {modules!r}:\n    importlib.import_module(name)\n", tmp_path)
    assert done.returncode == 0, done.stderr


def test_the_embedded_engine_is_refused_by_name_elsewhere() -> None:
    assert embedded("asked for", system="Linux").kind == "embedded"
    with pytest.raises(EngineUnavailable, match="runs on Linux only"):
        embedded("asked for", system="Darwin")


def test_what_is_installed_on_macos_has_wheels_there() -> None:
    """A new dependency is looked up first, or belongs behind `sys_platform == 'linux'` (CONTRIBUTING says how)."""
    wanted = [Requirement(text) for text in tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["dependencies"]]
    there = {"sys_platform": "darwin", "platform_system": "Darwin", "os_name": "posix"}
    assert {one.name for one in wanted if one.marker is None or one.marker.evaluate(there)} == ON_MACOS
