"""Pages about the command line and the house say what is."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

import pipelines
from pipelines.errors import ExitCode

ROOT = Path(__file__).resolve().parents[3]
HOUSE = Path(str(pipelines.__file__)).parent


def test_the_help_in_the_docs_is_the_help() -> None:
    done = subprocess.run([sys.executable, "-m", "docs.make_cli", "--check"], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_every_exit_code_is_documented() -> None:
    table = (ROOT / "docs" / "cli.md").read_text().split("## Exit codes")[1].split("##")[0]
    first_cells = [row.split("|")[1] for row in table.splitlines() if re.match(r"\| [\d, ]+ \|", row)]
    assert {int(code) for cell in first_cells for code in cell.split(",")} == {*map(int, ExitCode), 129}


def test_every_file_the_tour_names_is_there() -> None:
    named = set(re.findall(r"`(pipelines/[\w/.]+)`", (ROOT / "docs" / "tour.md").read_text()))
    assert len(named) > 40
    assert [path for path in sorted(named) if not (ROOT / path).is_file()] == []


@pytest.mark.parametrize("room", sorted(path.name for path in HOUSE.iterdir() if path.is_dir() and path.name != "__pycache__"))
def test_the_tour_visits_every_room(room: str) -> None:
    assert f"`pipelines/{room}/" in (ROOT / "docs" / "tour.md").read_text()


@pytest.mark.parametrize("page", ["cli.md", "tour.md"])
def test_links_and_paths_of_a_page_are_no_paths_of_a_machine(page: str) -> None:
    text = (ROOT / "docs" / page).read_text()
    assert not re.search(r"/(work|root|home|tmp)/", text)
