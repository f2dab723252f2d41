"""A whole run, with other rooms in the place of engine, git and built-in steps."""

from __future__ import annotations

import contextlib
import datetime as dt
import json
import signal
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import anyio
import pytest

from pipelines.engine.engine_lines import requester_id
from pipelines.engine.lifetime import GRACE_S, Lifetime
from pipelines.errors import EngineLost, EngineUnavailable, NothingSelected, Unavailable, UsageError
from pipelines.flow.attempts import ForeignErrors
from pipelines.flow.dependencies import RunDependencies
from pipelines.flow.folder import ProjectHome
from pipelines.flow.lock import run_lock
from pipelines.flow.run import RunRequest, plan_project, run_project
from pipelines.flow.stop import Stop
from pipelines.model import Check, EngineInfo, EngineSpec, Insecure, Project, Run, SecretRef, Source, Verdict
from pipelines.providers import Provider
from pipelines.report import write_all

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence

    from pipelines.steps.definition import StepContext, StepDef
    from tests.unit.flow.conftest import Recorder

NOW = dt.datetime(2026, 1, 31, 12, tzinfo=dt.UTC)
INFO = EngineInfo(kind="embedded", reason="asked for")


@dataclass
class House:
    """A project folder and the rooms around it."""

    root: Path
    sink: Recorder
    jump: Callable[[Any], Any]
    steps: Sequence[StepDef] = ()
    environ: dict[str, str] = field(default_factory=dict)
    engine: list[str] = field(default_factory=list)
    engine_error: Exception | None = None
    engine_start_s: float = 2.0
    engine_end_s: float = 0.0
    lifetime: Lifetime | None = None
    choice_error: Exception | None = None
    write_reports: Callable[[Run, Path], Sequence[Path]] = write_all
    stop: Stop = field(default_factory=Stop)
    info: EngineInfo = INFO
    askers: list[str] = field(default_factory=list)
    ledger: Path | None = None

    @property
    def home(self) -> ProjectHome:
        return ProjectHome.of(self.root)

    def project(self, **settings: Any) -> Project:
        return Project(name="shop", root=self.root, **settings)

    def dependencies(self) -> RunDependencies:
        return RunDependencies(
            detect=lambda environ: Provider(revision="from-ci"),
            read_source=lambda root: Source(root=str(root), version="1.2.3"),
            builtin=lambda project, source, options: self.steps,
            choose=self.choose,
            open_engine=self.open_engine,
            client=lambda: "the client",
            foreign=ForeignErrors,
            write_reports=self.write_reports,
            now=lambda: NOW,
            asking=self.asking,
        )

    def choose(self, spec: EngineSpec, environ: Mapping[str, str]) -> Any:
        if self.choice_error is not None:
            raise self.choice_error
        return spec

    @contextlib.asynccontextmanager
    async def open_engine(self, choice: object, log: Callable[[str], None], ledger: Path, lifetime: Lifetime) -> AsyncIterator[EngineInfo]:
        self.engine.append("opening")
        self.ledger, self.lifetime = ledger, lifetime
        try:
            await anyio.sleep(self.engine_start_s)
            if self.engine_error is not None:
                raise self.engine_error
            log("engine line")
            self.engine.append("open")
            yield self.info
        finally:
            with anyio.CancelScope(shield=True), lifetime.at_most(self.engine_end_s):
                await anyio.sleep_forever()
            self.engine.append("closed")

    @contextlib.contextmanager
    def asking(self, asker: str) -> Iterator[None]:
        self.askers.append(asker)
        yield

    def request(self, *words: str, **options: Any) -> RunRequest:
        return RunRequest(selectors=words, environ=self.environ, **options)

    async def go(self, *words: str, project: Project | None = None, **options: Any) -> Run:
        return await run_project(project or self.project(), self.request(*words, **options), self.sink, self.stop, self.dependencies())

    def run(self, *words: str, project: Project | None = None, **options: Any) -> Run:
        result = self.jump(lambda: self.go(*words, project=project, **options))
        assert isinstance(result, Run)
        return result

    def document(self) -> dict[str, Any]:
        document: dict[str, Any] = json.loads((self.home.reports / "run.json").read_text())
        return document


@pytest.fixture
def house(tmp_path: Path, lab: Any, on_jumping_clock: Callable[[Any], Any]) -> House:
    return House(tmp_path, lab.sink, on_jumping_clock)


async def plain(context: StepContext) -> str:
    context.log("hello\n")
    return "value"


async def asks(client: dagger.Client) -> str:  # type: ignore[name-defined]  # noqa: F821
    return str(client)


async def fails() -> Check:
    return Check(verdict=Verdict.FAIL, reason="one is wrong")


def statuses(run: Run) -> dict[str, str]:
    return {result.id: str(result.status) for result in run.results}


def test_a_run_is_a_value_a_folder_and_reports(house: House, make: Callable[..., StepDef]) -> None:
    house.steps = [make(plain), make(asks)]
    run = house.run()
    assert (run.exit_code, run.engine, run.project, run.version, run.revision) == (0, INFO, "shop", "1.2.3", "from-ci")
    assert (run.started, run.duration_s, run.provider) == ("2026-01-31T12:00:00.000Z", 2.0, "local")
    assert statuses(run) == {"step.plain": "passed", "step.asks": "passed"}
    assert run.results[1].value == "the client"
    assert run.folder is not None
    assert Path(run.folder) == house.home.runs / run.id
    document = house.document()
    assert [entry["status"] for entry in document["steps"]] == ["passed", "passed"]
    assert (Path(run.folder) / "run.json").read_text() == (house.home.reports / "run.json").read_text()
    assert (Path(run.folder) / "logs" / "step.plain.log").read_text() == "hello\n"
    assert (Path(run.folder) / "logs" / "engine.log").read_text() == "engine line\n"
    latest = house.home.latest()
    assert latest is not None
    assert latest.path == Path(run.folder)
    assert house.engine == ["opening", "open", "closed"]


def test_no_engine_is_opened_for_steps_that_need_none(house: House, make: Callable[..., StepDef]) -> None:
    house.steps = [make(plain), make(asks)]
    run = house.run("step.plain")
    assert (house.engine, run.engine) == ([], None)
    assert statuses(run) == {"step.plain": "passed", "step.asks": "skipped"}


def test_work_starts_beside_the_engine(house: House, make: Callable[..., StepDef]) -> None:
    house.steps = [make(asks), make(plain)]
    assert {result.id: result.started_s for result in house.run().results} == {"step.asks": 2.0, "step.plain": 0.0}


@pytest.mark.parametrize("when", ["choice", "opening"])
def test_without_an_engine_the_rest_runs_and_the_code_is_4(house: House, make: Callable[..., StepDef], when: str) -> None:
    error = EngineUnavailable("no engine here", next_step="lockgate doctor")
    if when == "choice":
        house.choice_error = error
    else:
        house.engine_error = error
    house.steps = [make(asks), make(plain)]
    run = house.run()
    assert (run.exit_code, run.engine) == (4, None)
    assert statuses(run) == {"step.asks": "error", "step.plain": "passed"}
    assert house.document()["steps"][0]["reason"] == "no engine here"


def test_an_engine_that_goes_away_ends_the_steps_that_need_it_and_no_other(house: House, make: Callable[..., StepDef]) -> None:
    async def hangs(client: dagger.Client) -> str:  # type: ignore[name-defined]  # noqa: F821
        assert house.lifetime is not None
        house.lifetime.lose(EngineLost("the engine at unix:///gone went away", cause="nothing listens there"))
        await anyio.sleep_forever()
        return ""

    async def user(asks: str) -> None:
        await anyio.sleep_forever()

    async def alone() -> None:
        await anyio.sleep(5)

    house.engine_end_s = 300.0
    house.steps = [make(asks), make(user), make(hangs), make(alone), make(asks, id="step.later", after=("step.alone",))]
    run = house.run()
    assert statuses(run) == {
        "step.asks": "passed",
        "step.user": "error",
        "step.hangs": "error",
        "step.alone": "passed",
        "step.later": "error",
    }
    assert {result.attempts for result in run.results} == {1}
    assert (run.exit_code, run.duration_s) == (4, 5.0)
    assert house.document()["run"]["exit_code"] == 4
    assert "the engine at unix:///gone went away (nothing listens there)" in {entry["reason"] for entry in house.document()["steps"]}
    assert house.engine == ["opening", "open", "closed"]
    assert any("went away" in note for note in house.sink.notes)


def test_a_step_that_finds_the_engine_gone_ends_the_others(house: House, make: Callable[..., StepDef]) -> None:
    async def finds(asks: str) -> None:
        raise EngineLost("the connection to the engine broke")

    async def hangs(client: dagger.Client) -> None:  # type: ignore[name-defined]  # noqa: F821
        await anyio.sleep_forever()

    house.engine_end_s = 300.0
    house.steps = [make(asks), make(finds), make(hangs)]
    run = house.run()
    assert statuses(run) == {"step.asks": "passed", "step.finds": "error", "step.hangs": "error"}
    assert (run.exit_code, run.duration_s) == (4, house.engine_start_s)


def test_an_engine_that_starts_slowly_is_said_now_and_then(house: House, make: Callable[..., StepDef]) -> None:
    house.engine_start_s = 25.0
    house.steps = [make(asks)]
    assert house.run().exit_code == 0
    assert house.sink.notes == ["the engine does not answer yet: 10 s", "the engine does not answer yet: 20 s"]


def test_versions_that_do_not_fit_are_said_and_both_are_in_the_document(house: House, make: Callable[..., StepDef]) -> None:
    house.info = EngineInfo(kind="dagger", reason="a test", version="v0.20.0", sdk="0.21.11")
    house.steps = [make(asks)]
    house.run()
    assert [note for note in house.sink.notes if "Dagger engine 0.20.0" in note] == house.sink.notes != []
    assert house.document()["run"]["engine"] == {"kind": "dagger", "reason": "a test", "version": "v0.20.0", "sdk": "0.21.11"}


def test_limits_that_a_dagger_engine_is_not_told_are_said(house: House, make: Callable[..., StepDef]) -> None:
    house.steps = [make(asks)]
    asked = EngineSpec(memory=1 << 30, insecure=Insecure.NONE)
    for kind, said in (("dagger", 1), ("embedded", 0)):
        house.info = EngineInfo(kind=kind, reason="a test")
        house.sink.notes.clear()
        house.run(project=house.project(engine=asked))
        assert len([note for note in house.sink.notes if 'have no effect on it: memory, insecure = "none"' in note]) == said
    house.info = EngineInfo(kind="dagger", reason="a test")
    house.sink.notes.clear()
    house.run(project=house.project(engine=EngineSpec()))
    assert [note for note in house.sink.notes if "is not told" in note] == []


def test_a_stopped_run_gives_its_engine_a_stated_grace(house: House, make: Callable[..., StepDef]) -> None:
    async def stopper(asks: str) -> None:
        house.stop.request(signal.SIGTERM)
        await anyio.sleep_forever()

    async def timed() -> float:
        began = anyio.current_time()
        await house.go()
        return anyio.current_time() - began

    house.engine_end_s = 300.0
    house.steps = [make(asks), make(stopper)]
    assert house.jump(timed) == house.engine_start_s + GRACE_S


def test_a_contradicting_environment_is_said_before_anything_runs(house: House, make: Callable[..., StepDef]) -> None:
    house.choice_error = UsageError("half a session")
    house.steps = [make(asks)]
    with pytest.raises(UsageError, match="half a session"):
        house.run()


def test_a_failure_is_exit_code_1_and_in_the_state(house: House, make: Callable[..., StepDef]) -> None:
    house.steps = [make(fails)]
    assert house.run().exit_code == 1
    assert json.loads(house.home.state.read_text())["steps"]["step.fails"]["status"] == "failed"


def test_the_token_of_a_pass_comes_back(house: House, make: Callable[..., StepDef]) -> None:
    seen: list[str | None] = []

    async def tokens(context: StepContext) -> None:
        seen.append(context.attempt)
        context.set_attempt(f"token-{len(seen)}")

    house.steps = [make(tokens)]
    house.run()
    house.run()
    assert seen == [None, "token-1"]


def test_a_stop_ends_in_a_run_with_reports_and_a_closed_engine(house: House, make: Callable[..., StepDef]) -> None:
    async def stopper(asks: str) -> None:
        house.stop.request(signal.SIGTERM)
        await anyio.sleep_forever()

    house.steps = [make(plain), make(asks), make(stopper)]
    run = house.run()
    assert run.exit_code == 143
    assert statuses(run) == {"step.plain": "passed", "step.asks": "passed", "step.stopper": "cancelled"}
    assert house.document()["run"]["exit_code"] == 143
    assert house.engine == ["opening", "open", "closed"]


def test_a_stop_while_the_engine_starts_does_not_wait_for_it(house: House, make: Callable[..., StepDef]) -> None:
    async def stopper() -> None:
        await anyio.sleep(1)
        house.stop.request(signal.SIGINT)

    house.engine_start_s = 600.0
    house.steps = [make(asks), make(stopper)]
    run = house.run()
    assert (run.exit_code, run.duration_s) == (130, 1.0)
    assert house.engine == ["opening", "closed"]


def test_a_cancelled_caller_gets_its_reports_too(house: House, make: Callable[..., StepDef]) -> None:
    async def waits(plain: str) -> None:
        await anyio.sleep_forever()

    house.steps = [make(plain), make(waits), make(asks)]

    async def main() -> bool:
        with anyio.move_on_after(5) as scope:
            await house.go()
        return scope.cancelled_caught

    assert house.jump(main) is True
    document = house.document()
    assert {entry["id"]: entry["status"] for entry in document["steps"]} == {
        "step.plain": "passed",
        "step.asks": "passed",
        "step.waits": "cancelled",
    }
    assert document["run"]["exit_code"] == 130
    assert house.engine == ["opening", "open", "closed"]


def test_two_runs_in_one_folder(house: House, make: Callable[..., StepDef]) -> None:
    house.steps = [make(plain)]
    house.home.make()
    with run_lock(house.home.lock), pytest.raises(Unavailable, match="another run is at work"):
        house.run()
    assert house.run().exit_code == 0


def test_reports_that_cannot_be_written_are_said(house: House, make: Callable[..., StepDef]) -> None:
    def full(run: Run, folder: Path) -> Sequence[Path]:
        raise OSError(28, "No space left on device")

    house.write_reports = full
    house.steps = [make(plain)]
    assert house.run().exit_code == 4
    assert "No space left on device" in house.sink.notes[0]


def test_secrets_of_the_environment_are_masked_from_the_first_line(house: House, make: Callable[..., StepDef]) -> None:
    from pipelines.model import Registry

    async def prints(context: StepContext) -> None:
        context.log("token hunter2-hunter2\n")

    house.environ["TOKEN"] = "hunter2-hunter2"
    house.steps = [make(prints)]
    house.run(project=house.project(registry=Registry(url="a", auth=SecretRef("env://TOKEN"))))
    files = [path for path in house.home.path.rglob("*") if path.is_file()]
    assert [path for path in files if "hunter2" in path.read_text()] == []


def test_steps_of_lockgate_py_stand_beside_built_in_ones(house: House, make: Callable[..., StepDef]) -> None:
    (house.root / "lockgate.py").write_text(
        "from pipelines import pipeline\n@pipeline.step\nasync def smoke(plain: str) -> str:\n    return plain + '!'\n"
    )
    house.steps = [make(plain)]
    assert [result.value for result in house.run("smoke").results] == ["value", "value!"]


def test_nothing_to_do(house: House) -> None:
    with pytest.raises(NothingSelected, match="has no steps"):
        house.run()
    assert house.run(allow_empty=True).exit_code == 0


def test_a_plan_says_what_would_run_and_writes_nothing(house: House, make: Callable[..., StepDef]) -> None:
    house.steps = [make(plain, timeout_s=5), make(asks, skip="not in CI"), make(fails)]
    plan = plan_project(house.project(), house.request("step.plain", "step.asks"), house.dependencies())
    assert [(step.id, step.skip) for step in plan.steps] == [
        ("step.plain", None),
        ("step.asks", "not in CI"),
        ("step.fails", "not selected"),
    ]
    assert [step.id for step in plan.working] == ["step.plain"]
    assert plan.steps[0].timeout_s == 5
    assert not house.home.path.exists()


def test_width_and_keep_going_of_request_over_project(house: House, make: Callable[..., StepDef]) -> None:
    async def slow() -> None:
        await anyio.sleep(10)

    house.steps = [make(fails), make(slow, id="step.a"), make(slow, id="step.b")]
    assert house.run(project=house.project(jobs=1)).duration_s == 20.0
    assert house.run(project=house.project(jobs=1), jobs=9).duration_s == 10.0
    assert house.run(project=house.project(keep_going=True), keep_going=False).duration_s == 0.0


def test_the_embedded_engine_is_told_which_step_asks(house: House, make: Callable[..., StepDef]) -> None:
    house.steps = [make(asks)]
    house.run()
    assert house.askers == [requester_id("step.asks")]


def test_another_engine_is_told_nothing(house: House, make: Callable[..., StepDef]) -> None:
    house.steps = [make(asks)]
    house.info = EngineInfo(kind="dagger", reason="a session is open")
    house.run()
    assert house.askers == []


def test_how_long_an_engine_may_take_to_open_is_configured(house: House, make: Callable[..., StepDef]) -> None:
    house.steps = [make(asks)]
    house.run(project=house.project(engine=EngineSpec(start_s=90.0)))
    assert house.lifetime is not None
    assert house.lifetime.start_s == 90.0


def test_what_was_written_before_a_secret_was_known_is_masked_in_the_end(house: House, make: Callable[..., StepDef]) -> None:
    async def early(context: StepContext) -> Check:
        context.log("a late-known-secret\n")
        path = context.folder / "out.txt"
        path.write_text("late-known-secret")
        return Check(verdict=Verdict.FAIL, reason="saw late-known-secret", artifacts=(str(path),))

    async def late(client: dagger.Client, context: StepContext) -> None:  # type: ignore[name-defined]  # noqa: F821
        await anyio.sleep(60)
        context.mask("late-known-secret")
        context.mask("engine line")

    house.steps = [make(early), make(late)]
    run = house.run()
    assert run.folder is not None
    kept = {path: path.read_text() for path in Path(run.folder).rglob("*") if path.is_file()}
    kept |= {path: path.read_text() for path in house.home.reports.iterdir()}
    assert not [path for path, text in kept.items() if "late-known-secret" in text]
    assert run.results[0].reason == "saw ***"
    assert (Path(run.folder) / "logs" / "engine.log").read_text() == "***\n"
    assert (Path(run.folder) / "logs" / "step.early.log").read_text() == "a ***\n"
