"""The page about the engine says what is."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
BETWEEN_US = {
    "LOCKGATE_SESSION",
    "LOCKGATE_ENGINE_TAGS",
    "LOCKGATE_ENGINE_WORK_INPUTS",
    "LOCKGATE_KNOWN_HOSTS",
}  # set by one of our parts for another
PAGE = (ROOT / "docs" / "engine.md").read_text(encoding="utf-8")


def test_the_fields_on_the_page_are_those_that_are_answered() -> None:
    done = subprocess.run([sys.executable, "-m", "docs.make_engine", "--check"], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("field", ["withExec", "dockerBuild", "publish", "withMountedSecret"])
def test_what_everybody_needs_is_on_the_page(field: str) -> None:
    answered = PAGE.split("<!-- fields: begin")[1]
    assert re.search(rf"\b{field}\b", answered)


def test_variables_on_the_page_are_read_somewhere_and_the_engines_are_all_there() -> None:
    named = set(re.findall(r"^\| `([A-Z_]+)` \|", PAGE, re.MULTILINE))
    code = "\n".join(path.read_text(encoding="utf-8") for path in (ROOT / "pipelines" / "engine").rglob("*.py"))
    assert {name for name in named if f'"{name}"' not in code} == set()
    read = set(re.findall(r'"(LOCKGATE_[A-Z_]+)"', code))
    assert {name for name in read if name not in PAGE} <= BETWEEN_US


def test_links_lead_somewhere_and_paths_are_no_paths_of_a_machine() -> None:
    for link in re.findall(r"\]\(([^)#]+)\)", PAGE):
        assert (ROOT / "docs" / link).exists(), link
    assert not re.search(r"/(work|root|home|tmp)/", PAGE)


def test_the_budget_on_the_page_is_the_budget() -> None:
    from pipelines.engine.embedded.store.space.budget import LARGEST

    assert f"{LARGEST // 10**9} GB, or a quarter of the disk" in re.sub(r"\s+", " ", PAGE)
