"""A whole run, with fakes in the place of engine, git and built-in steps."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import anyio
import jsonschema
import pytest

from pipelines.errors import NothingSelected, Unavailable
from pipelines.flow.lock import run_lock
from pipelines.flow.run import plan_project
from pipelines.report.record import RunRecord, record_of, record_schema
from tests.unit.flow.fake_project import INFO, FakeProject, asks, fails, plain, statuses

if TYPE_CHECKING:
    from collections.abc import Callable

    from pipelines.steps.definition import StepDef


def test_a_run_is_a_value_a_folder_and_reports(fake: FakeProject, make: Callable[..., StepDef]) -> None:
    fake.steps = [make(plain), make(asks)]
    run = fake.run()
    assert (run.exit_code, run.engine, run.project, run.version, run.revision) == (0, INFO, "shop", "1.2.3", "from-ci")
    assert (run.started, run.duration_s, run.provider) == ("2026-01-31T12:00:00.000Z", 2.0, "local")
    assert statuses(run) == {"step.plain": "passed", "step.asks": "passed"}
    assert run.results[1].value == "the client"
    assert run.folder is not None
    assert Path(run.folder) == fake.home.runs / run.id
    document = fake.document()
    assert [entry["status"] for entry in document["steps"]] == ["passed", "passed"]
    jsonschema.validate(document, record_schema())
    assert RunRecord.from_json(document) == record_of(run)
    assert (Path(run.folder) / "run.json").read_text() == (fake.home.reports / "run.json").read_text()
    assert (Path(run.folder) / "logs" / "step.plain.log").read_text() == "hello\n"
    assert (Path(run.folder) / "logs" / "engine.log").read_text() == "engine line\n"
    latest = fake.home.latest()
    assert latest is not None
    assert latest.path == Path(run.folder)
    assert fake.engine == ["opening", "open", "closed"]


def test_two_runs_in_one_folder(fake: FakeProject, make: Callable[..., StepDef]) -> None:
    fake.steps = [make(plain)]
    fake.home.make()
    with run_lock(fake.home.lock), pytest.raises(Unavailable, match="another run is at work"):
        fake.run()
    assert fake.run().exit_code == 0


def test_steps_of_lockgate_py_stand_beside_built_in_ones(fake: FakeProject, make: Callable[..., StepDef]) -> None:
    (fake.root / "lockgate.py").write_text(
        "from pipelines import pipeline\n@pipeline.step\nasync def smoke(plain: str) -> str:\n    return plain + '!'\n"
    )
    fake.steps = [make(plain)]
    assert [result.value for result in fake.run("smoke").results] == ["value", "value!"]


def test_nothing_to_do(fake: FakeProject) -> None:
    with pytest.raises(NothingSelected, match="has no steps"):
        fake.run()
    assert fake.run(allow_empty=True).exit_code == 0


def test_a_plan_says_what_would_run_and_writes_nothing(fake: FakeProject, make: Callable[..., StepDef]) -> None:
    fake.steps = [make(plain, timeout_s=5), make(asks, skip="not in CI"), make(fails)]
    plan = plan_project(fake.project(), fake.request("step.plain", "step.asks"), fake.dependencies())
    assert [(step.id, step.skip) for step in plan.steps] == [
        ("step.plain", None),
        ("step.asks", "not in CI"),
        ("step.fails", "not selected"),
    ]
    assert [step.id for step in plan.working] == ["step.plain"]
    assert plan.steps[0].timeout_s == 5
    assert not fake.home.path.exists()


def test_width_and_keep_going_of_request_over_project(fake: FakeProject, make: Callable[..., StepDef]) -> None:
    async def slow() -> None:
        await anyio.sleep(10)

    fake.steps = [make(fails), make(slow, id="step.a"), make(slow, id="step.b")]
    assert fake.run(project=fake.project(jobs=1)).duration_s == 20.0
    assert fake.run(project=fake.project(jobs=1), jobs=9).duration_s == 10.0
    assert fake.run(project=fake.project(keep_going=True), keep_going=False).duration_s == 0.0
