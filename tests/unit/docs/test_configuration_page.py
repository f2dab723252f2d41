"""docs/configuration.md has every key, and what it shows works as it stands."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from pipelines.config.document import document_of, tables_in
from pipelines.config.table import Table, examples_of
from pipelines.config.tables import SharedSettings
from pipelines.steps.catalog import load, sections_of
from pipelines.steps.perf.spec import performance_checks_of
from pipelines.steps.test.spec import configured_tests
from tests.projects import scan_in

ROOT = Path(__file__).resolve().parents[3]
PAGE = ROOT / "docs/configuration.md"
TEXT = PAGE.read_text(encoding="utf-8")
BLOCKS = re.findall(r"```toml\n(.*?)```", TEXT, re.DOTALL)


DOCUMENT = document_of(sections_of())
TABLES = tables_in(DOCUMENT)


def test_the_page_is_that_of_the_tables() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "docs.make_configuration", "--check"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("table", TABLES, ids=lambda table: table.__name__)
def test_every_key_has_an_example_and_is_on_the_page(table: type[Table]) -> None:
    wanted = set(table.model_fields)
    if table is DOCUMENT:  # what is a table of its own has its examples there
        wanted -= {"project", "engine", "registry", "build", *(section.key for section in sections_of())}
    assert set(examples_of(table)) == wanted, "put an example into EXAMPLES of the table, then: python -m docs.make_configuration"
    assert all(f"| `{key}` |" in TEXT for key in wanted)


def test_the_examples_together_are_a_configuration(tmp_path: Path) -> None:
    (tmp_path / "lockgate.toml").write_text("\n".join(BLOCKS))
    project = load(tmp_path, environ={"LOCKGATE_CONFIG_DIRS": str(tmp_path / "none")}).project
    assert (len(scan_in(project).waivers), configured_tests(project)["unit"].services["shop"].port) == (1, 8000)
    assert performance_checks_of(project)["checkout"].thresholds.min_rps == 50


def test_settings_for_every_project_are_as_shown() -> None:
    (settings,) = re.findall(r"```toml settings\n(.*?)```", TEXT, re.DOTALL)
    assert SharedSettings.model_validate(tomllib.loads(settings)).registry is not None


def test_links_lead_somewhere() -> None:
    for link in re.findall(r"\]\(([^)#]+)\)", TEXT):
        assert (PAGE.parent / link).exists(), link
    titles = {re.sub(r"[^a-z0-9 -]", "", title.lower()).replace(" ", "-") for title in re.findall(r"^#+ (.*)$", TEXT, re.MULTILINE)}
    assert set(re.findall(r"\]\(#([^)]+)\)", TEXT)) <= titles
