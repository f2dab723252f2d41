"""The engine beside the steps of a run."""

from __future__ import annotations

import signal
from typing import TYPE_CHECKING

import anyio
import pytest

from pipelines.engine.engine_lines import requester_id
from pipelines.engine.lifetime import GRACE_S
from pipelines.errors import EngineLost, EngineUnavailable
from pipelines.model import EngineInfo, EngineSpec, Insecure
from tests.unit.flow.fake_project import FakeProject, asks, plain, statuses

if TYPE_CHECKING:
    from collections.abc import Callable

    from pipelines.steps.definition import StepDef


def test_no_engine_is_opened_for_steps_that_need_none(fake: FakeProject, make: Callable[..., StepDef]) -> None:
    fake.steps = [make(plain), make(asks)]
    run = fake.run("step.plain")
    assert (fake.engine, run.engine) == ([], None)
    assert statuses(run) == {"step.plain": "passed", "step.asks": "skipped"}


def test_work_starts_beside_the_engine(fake: FakeProject, make: Callable[..., StepDef]) -> None:
    fake.steps = [make(asks), make(plain)]
    assert {result.id: result.started_s for result in fake.run().results} == {"step.asks": 2.0, "step.plain": 0.0}


@pytest.mark.parametrize("when", ["choice", "opening"])
def test_without_an_engine_the_rest_runs_and_the_code_is_4(fake: FakeProject, make: Callable[..., StepDef], when: str) -> None:
    error = EngineUnavailable("no engine here", next_step="lockgate doctor")
    if when == "choice":
        fake.choice_error = error
    else:
        fake.engine_error = error
    fake.steps = [make(asks), make(plain)]
    run = fake.run()
    assert (run.exit_code, run.engine) == (4, None)
    assert statuses(run) == {"step.asks": "error", "step.plain": "passed"}
    assert fake.document()["steps"][0]["reason"] == "no engine here"


def test_an_engine_that_goes_away_ends_the_steps_that_need_it_and_no_other(fake: FakeProject, make: Callable[..., StepDef]) -> None:
    async def hangs(client: dagger.Client) -> str:  # type: ignore[name-defined]  # noqa: F821
        assert fake.lifetime is not None
        await anyio.sleep(1)  # `asks` has ended by then
        fake.lifetime.lose(EngineLost("the engine at unix:///gone went away", cause="nothing listens there"))
        await anyio.sleep_forever()
        return ""

    async def user(asks: str) -> None:
        await anyio.sleep_forever()

    async def alone() -> None:
        await anyio.sleep(5)

    fake.engine_end_s = 300.0
    fake.steps = [make(asks), make(user), make(hangs), make(alone), make(asks, id="step.later", after=("step.alone",))]
    run = fake.run()
    assert statuses(run) == {
        "step.asks": "passed",
        "step.user": "error",
        "step.hangs": "error",
        "step.alone": "passed",
        "step.later": "error",
    }
    assert {result.attempts for result in run.results} == {1}
    assert (run.exit_code, run.duration_s) == (4, 5.0)
    assert fake.document()["run"]["exit_code"] == 4
    assert "the engine at unix:///gone went away (nothing listens there)" in {entry["reason"] for entry in fake.document()["steps"]}
    assert fake.engine == ["opening", "open", "closed"]
    assert any("went away" in note for note in fake.sink.notes)


def test_a_step_that_finds_the_engine_gone_ends_the_others(fake: FakeProject, make: Callable[..., StepDef]) -> None:
    async def finds(asks: str) -> None:
        raise EngineLost("the connection to the engine broke")

    async def hangs(client: dagger.Client) -> None:  # type: ignore[name-defined]  # noqa: F821
        await anyio.sleep_forever()

    fake.engine_end_s = 300.0
    fake.steps = [make(asks), make(finds), make(hangs)]
    run = fake.run()
    assert statuses(run) == {"step.asks": "passed", "step.finds": "error", "step.hangs": "error"}
    assert (run.exit_code, run.duration_s) == (4, fake.engine_start_s)


def test_an_engine_that_starts_slowly_is_said_now_and_then(fake: FakeProject, make: Callable[..., StepDef]) -> None:
    fake.engine_start_s = 25.0
    fake.steps = [make(asks)]
    assert fake.run().exit_code == 0
    assert fake.sink.notes == ["the engine does not answer yet: 10 s", "the engine does not answer yet: 20 s"]


def test_versions_that_do_not_fit_are_said_and_both_are_in_the_document(fake: FakeProject, make: Callable[..., StepDef]) -> None:
    fake.info = EngineInfo(kind="dagger", reason="a test", version="v0.20.0", sdk="0.21.11")
    fake.steps = [make(asks)]
    fake.run()
    assert [note for note in fake.sink.notes if "Dagger engine 0.20.0" in note] == fake.sink.notes != []
    assert fake.document()["run"]["engine"] == {"kind": "dagger", "reason": "a test", "version": "v0.20.0", "sdk": "0.21.11"}


def test_limits_that_a_dagger_engine_is_not_told_are_said(fake: FakeProject, make: Callable[..., StepDef]) -> None:
    fake.steps = [make(asks)]
    asked = EngineSpec(memory=1 << 30, insecure=Insecure.NONE)
    for kind, said in (("dagger", 1), ("embedded", 0)):
        fake.info = EngineInfo(kind=kind, reason="a test")
        fake.sink.notes.clear()
        fake.run(project=fake.project(engine=asked))
        assert len([note for note in fake.sink.notes if 'have no effect on it: memory, insecure = "none"' in note]) == said
    fake.info = EngineInfo(kind="dagger", reason="a test")
    fake.sink.notes.clear()
    fake.run(project=fake.project(engine=EngineSpec()))
    assert [note for note in fake.sink.notes if "is not told" in note] == []


def test_a_stopped_run_gives_its_engine_a_stated_grace(fake: FakeProject, make: Callable[..., StepDef]) -> None:
    async def stopper(asks: str) -> None:
        fake.stop.request(signal.SIGTERM)
        await anyio.sleep_forever()

    async def timed() -> float:
        began = anyio.current_time()
        await fake.go()
        return anyio.current_time() - began

    fake.engine_end_s = 300.0
    fake.steps = [make(asks), make(stopper)]
    assert fake.jump(timed) == fake.engine_start_s + GRACE_S


def test_the_embedded_engine_is_told_which_step_asks(fake: FakeProject, make: Callable[..., StepDef]) -> None:
    fake.steps = [make(asks)]
    fake.run()
    assert fake.requesters == [requester_id("step.asks")]


def test_another_engine_is_told_nothing(fake: FakeProject, make: Callable[..., StepDef]) -> None:
    fake.steps = [make(asks)]
    fake.info = EngineInfo(kind="dagger", reason="a session is open")
    fake.run()
    assert fake.requesters == []


def test_how_long_an_engine_may_take_to_open_is_configured(fake: FakeProject, make: Callable[..., StepDef]) -> None:
    fake.steps = [make(asks)]
    fake.run(project=fake.project(engine=EngineSpec(start_s=90.0)))
    assert fake.lifetime is not None
    assert fake.lifetime.start_s == 90.0


def test_a_stop_while_the_engine_starts_does_not_wait_for_it(fake: FakeProject, make: Callable[..., StepDef]) -> None:
    async def stopper() -> None:
        await anyio.sleep(1)
        fake.stop.request(signal.SIGINT)

    fake.engine_start_s = 600.0
    fake.steps = [make(asks), make(stopper)]
    run = fake.run()
    assert (run.exit_code, run.duration_s) == (130, 1.0)
    assert fake.engine == ["opening", "closed"]
