"""A kind of step that this package has never heard of: one folder and one line, and it is configured, planned, run and reported."""

from __future__ import annotations

import json
import sys
import textwrap
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from pipelines.config.schema import schema_of
from pipelines.errors import ConfigError
from pipelines.flow.dependencies import real_dependencies
from pipelines.flow.request import RunRequest
from pipelines.flow.run import plan_project, run_project
from pipelines.model import SecretRef, Status, values_of
from pipelines.steps.catalog import builtin, load, sections_of
from pipelines.steps.kinds import KINDS, kind_in

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pipelines.config import Loaded
    from pipelines.flow.dependencies import RunDependencies
    from pipelines.steps.interface import Kind

PACKAGE = {
    "__init__.py": "",
    "table.py": '''
        from typing import Any, ClassVar
        from pydantic import Field
        from pipelines.config.fields import EnvName, SecretUri, Text
        from pipelines.config.table import Limited

        class SpellingTable(Limited):
            """`[spelling.NAME]`: texts without words that are wrong."""

            files: list[Text] = Field(description="The files to read.")
            wrong: list[Text] = Field(["teh"], description="Words that are wrong.")
            most: int = Field(0, ge=0, description="How many may be in the files.")
            secrets: dict[EnvName, SecretUri] = Field({}, description="Secrets.")
            EXAMPLES: ClassVar[Any] = {"files": ["README.md"], "wrong": ["teh"], "most": 0, "secrets": {"KEY": "env://KEY"}}
    ''',
    "kind.py": """
        from dataclasses import dataclass
        from pipelines.config.section import Section, limits_of, secret_refs
        from pipelines.steps.definition import Parameter, StepDef
        from pipelines.steps.interface import CheckResult, CheckState, Kind

        @dataclass(frozen=True)
        class SpellingSpec:
            name: str
            files: tuple
            wrong: tuple
            most: int
            secrets: dict
            limits: object

        def _table():
            from spelling.table import SpellingTable
            return SpellingTable

        def _convert(name, values, default_s):
            files, wrong, most = tuple(values["files"]), tuple(values["wrong"]), values["most"]
            return SpellingSpec(name, files, wrong, most, secret_refs(values["secrets"]), limits_of(values, default_s))

        def _definitions(project, source, options):
            for spec in project.steps.get("spelling", {}).values():
                yield StepDef(
                    id=f"spelling.{spec.name}", kind="spelling", name=spec.name, provides="Check", limits=spec.limits, section="spelling",
                    parameters=(Parameter(name="context", annotation="StepContext"), Parameter(name="project", annotation="Project")),
                    load=lambda spec=spec: _code(spec), describe=f"read {', '.join(spec.files)}",
                )

        def _code(spec):
            from spelling.run import step
            async def run(context, project):
                return step(spec, context, project)
            return run

        def _examine(project):
            for spec in project.steps.get("spelling", {}).values():
                for file in spec.files:
                    if not (project.root / file).is_file():
                        yield CheckResult(f"spelling {spec.name}", CheckState.FAILED, f"there is no {file}")

        SECTION = Section(key="spelling", kind="spelling", description="Spelling.", example="docs", table=_table, convert=_convert)
        KIND = Kind(name="spelling", section=SECTION, definitions=_definitions, examine=_examine)
    """,
    "run.py": """
        from pipelines.model import Check, Finding, Severity, Verdict

        def step(spec, context, project):
            found = [word for file in spec.files for word in (project.root / file).read_text().split() if word in spec.wrong]
            context.log(f"{len(found)} wrong words\\n")
            verdict = Verdict.PASS if len(found) <= spec.most else Verdict.FAIL
            findings = tuple(Finding(rule="spelling", severity=Severity.LOW, message=word) for word in found)
            return Check(verdict=verdict, reason=f"{len(found)} wrong words", findings=findings)
    """,
}
CONFIG = """
[project]
name = "book"

[spelling.docs]
files = ["README.md"]
secrets = { KEY = "env://KEY" }
"""


@pytest.fixture
def kinds(tmp_path: Path) -> Iterator[tuple[Kind, ...]]:
    folder = tmp_path / "packages" / "spelling"
    folder.mkdir(parents=True)
    for name, text in PACKAGE.items():
        (folder / name).write_text(textwrap.dedent(text))
    sys.path.insert(0, str(folder.parent))
    try:
        yield (*KINDS, kind_in("spelling"))
    finally:
        sys.path.remove(str(folder.parent))
        for name in [name for name in sys.modules if name.partition(".")[0] == "spelling"]:
            del sys.modules[name]


@pytest.fixture
def root(tmp_path: Path) -> Path:
    root = tmp_path / "project"
    root.mkdir()
    (root / "lockgate.toml").write_text(CONFIG)
    (root / "README.md").write_text("Teh house is teh best.\n")
    return root


def loaded(root: Path, kinds: tuple[Kind, ...], environ: dict[str, str] | None = None, **overrides: object) -> Loaded:
    keys = {key.replace("__", "."): value for key, value in overrides.items()}
    return load(root, environ={"LOCKGATE_CONFIG_DIRS": "/nonexistent", **(environ or {})}, overrides=keys, kinds=kinds)


def dependencies(kinds: tuple[Kind, ...]) -> RunDependencies:
    return replace(
        real_dependencies(), builtin=lambda project, source, options: builtin(project, source=source, options=options, kinds=kinds)
    )


def test_its_tables_become_values(root: Path, kinds: tuple[Kind, ...]) -> None:
    found = loaded(root, kinds)
    spec = found.project.steps["spelling"]["docs"]
    assert (spec.files, spec.wrong, spec.most, spec.limits.timeout_s) == (("README.md",), ("teh",), 0, 1800.0)
    assert list(values_of(SecretRef, found.project)) == [SecretRef("env://KEY")]
    assert str(found.provenance["spelling.docs.files"].layer) == "file"


def test_variables_and_flags_reach_it(root: Path, kinds: tuple[Kind, ...]) -> None:
    assert loaded(root, kinds, {"LOCKGATE_SPELLING_DOCS_MOST": "3"}).project.steps["spelling"]["docs"].most == 3
    assert loaded(root, kinds, spelling__docs__most="4").project.steps["spelling"]["docs"].most == 4


def test_a_wrong_key_is_a_clean_refusal(root: Path, kinds: tuple[Kind, ...]) -> None:
    (root / "lockgate.toml").write_text(CONFIG + "mots = 1\n")
    with pytest.raises(ConfigError) as caught:
        loaded(root, kinds)
    assert caught.value.problems == ("spelling.docs.mots: unknown key; did you mean most?",)


def test_without_its_line_its_section_is_an_unknown_key(root: Path) -> None:
    with pytest.raises(ConfigError) as caught:
        loaded(root, KINDS)
    assert caught.value.problems[0].startswith("spelling: unknown key")


def test_it_is_planned(root: Path, kinds: tuple[Kind, ...]) -> None:
    plan = plan_project(loaded(root, kinds).project, RunRequest(environ={}), dependencies(kinds))
    assert [(step.id, step.describe, step.timeout_s) for step in plan.steps] == [("spelling.docs", "read README.md", 1800.0)]


async def test_it_runs_and_is_reported(root: Path, kinds: tuple[Kind, ...]) -> None:
    run = await run_project(loaded(root, kinds).project, RunRequest(selectors=("spelling",), environ={}), dependencies=dependencies(kinds))
    (result,) = run.results
    assert (result.id, result.status, result.reason, run.exit_code) == ("spelling.docs", Status.FAILED, "1 wrong words", 1)
    document = json.loads((root / ".lockgate/reports/run.json").read_text())
    assert [(step["id"], step["kind"], step["findings"][0]["rule"]) for step in document["steps"]] == [
        ("spelling.docs", "spelling", "spelling")
    ]
    assert "spelling.docs" in (root / ".lockgate/reports/junit.xml").read_text()
    assert result.log is not None
    assert "1 wrong words" in Path(result.log).read_text()


def test_it_is_in_the_schema(kinds: tuple[Kind, ...]) -> None:
    schema = json.loads(schema_of(sections_of(kinds)))
    assert schema["properties"]["spelling"]["description"] == "Spelling."
    assert schema["$defs"]["SpellingTable"]["properties"]["most"]["examples"] == [0]


def test_doctor_can_ask_it(root: Path, kinds: tuple[Kind, ...]) -> None:
    project = loaded(root, kinds).project
    assert list(kinds[-1].examine(project)) == []
    (root / "README.md").unlink()
    assert [one.detail for one in kinds[-1].examine(project)] == ["there is no README.md"]
