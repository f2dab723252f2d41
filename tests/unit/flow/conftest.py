"""A laboratory for the scheduler: steps from plain functions and a sink that writes down."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pytest

from pipelines.flow.annotations import parameters_of, provides_of
from pipelines.flow.attempts import ForeignErrors
from pipelines.flow.log_writer import LogWriter
from pipelines.flow.progress import NullSink
from pipelines.flow.scheduler import Scheduler, SchedulerOptions
from pipelines.flow.selection import select
from pipelines.flow.step_output import StepOutput
from pipelines.flow.stop import Stop
from pipelines.flow.wiring import build
from pipelines.foundation.redaction import Redactor
from pipelines.foundation.retry import Backoff
from pipelines.model import StepLimits
from pipelines.steps.definition import StepContext, StepDef
from tests.unit.flow.fake_project import FakeProject

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping, Sequence
    from pathlib import Path

    from pipelines.errors import LockgateError
    from pipelines.model import Result


def step(
    function: Callable[..., Awaitable[object]],
    *,
    id: str | None = None,  # noqa: A002
    after: Sequence[str] = (),
    skip: str | None = None,
    timeout_s: float | None = None,
    retries: int = 2,
    own: bool = False,
) -> StepDef:
    """A definition from a function; its id is `step.<function's name>` unless given."""
    kind, _, name = (id or f"step.{function.__name__}").partition(".")
    return StepDef(
        id=f"{kind}.{name}",
        kind=kind,
        name=name,
        parameters=parameters_of(function),
        provides=provides_of(function),
        load=lambda: function,
        limits=StepLimits(timeout_s=timeout_s, retries=retries),
        skip=skip,
        after=tuple(after),
        own=own,
    )


class Recorder(NullSink):
    """Writes down what a run tells, as short tuples."""

    def __init__(self) -> None:
        self.events: list[tuple[Any, ...]] = []
        self.notes: list[str] = []

    def step_started(self, step_id: str) -> None:
        self.events.append(("started", step_id))

    def step_output(self, step_id: str, text: str) -> None:
        self.events.append(("output", step_id, text))

    def step_progress(self, step_id: str, line: str, *, whole: bool) -> None:
        self.events.append(("live" if whole else "so far", step_id, line))

    def engine_output(self, text: str) -> None:
        self.events.append(("engine", text))

    def step_retry(self, step_id: str, reason: str, delay_s: float) -> None:
        self.events.append(("retry", step_id, reason, delay_s))

    def step_finished(self, result: Result) -> None:
        self.events.append(("finished", result.id, str(result.status)))

    def note(self, text: str) -> None:
        self.notes.append(text)

    def of(self, *kinds: str) -> list[tuple[Any, ...]]:
        return [event for event in self.events if event[0] in kinds]


@dataclass
class Lab:
    """Runs steps and keeps what happened."""

    folder: Path
    jump: Callable[[Callable[[], Awaitable[Any]]], Any]
    sink: Recorder = field(default_factory=Recorder)
    redactor: Redactor = field(default_factory=Redactor)
    stop: Stop = field(default_factory=Stop)
    givens: dict[str, object] = field(default_factory=dict)
    transient: Callable[[BaseException], bool] = lambda error: isinstance(error, ConnectionError)
    translate: Callable[[BaseException], LockgateError | None] = lambda error: None
    output: Callable[[BaseException], str] = lambda error: ""
    logs: dict[str, LogWriter] = field(default_factory=dict)
    results: Mapping[str, Result] = field(default_factory=dict)
    grace_s: float = 15.0

    async def go(self, *steps: StepDef, selectors: Sequence[str] = (), jobs: int = 8, keep_going: bool = True) -> Mapping[str, Result]:
        options = SchedulerOptions(
            output=self.new_output,
            jobs=jobs,
            keep_going=keep_going,
            foreign=ForeignErrors(transient=self.transient, translate=self.translate, output=self.output),
            backoff=Backoff(chance=lambda: 0.0),
            stop=self.stop,
            grace_s=self.grace_s,
        )
        scheduler = Scheduler(select(build(steps), selectors), self.givens, options, self.sink)
        await scheduler.run()
        self.results = {result.id: result for result in scheduler.results()}
        return self.results

    def run(self, *steps: StepDef, selectors: Sequence[str] = (), jobs: int = 8, keep_going: bool = True) -> Mapping[str, Result]:
        self.jump(lambda: self.go(*steps, selectors=selectors, jobs=jobs, keep_going=keep_going))
        return self.results

    def new_output(self, definition: StepDef) -> StepOutput:
        log = LogWriter(
            redactor=self.redactor,
            path=self.folder / f"{definition.id}.log",
            output=lambda text: self.sink.step_output(definition.id, text),
        )
        self.logs[definition.id] = log
        return StepOutput(StepContext(id=definition.id, run_id="run", folder=self.folder), log, self.redactor)

    def statuses(self) -> dict[str, str]:
        return {step_id: str(result.status) for step_id, result in self.results.items()}

    def log(self, step_id: str) -> str:
        return (self.folder / f"{step_id}.log").read_text()


@pytest.fixture
def lab(tmp_path: Path, on_jumping_clock: Callable[[Callable[[], Awaitable[Any]]], Any]) -> Lab:
    return Lab(tmp_path, on_jumping_clock)


@pytest.fixture(scope="session")
def new_lab(on_jumping_clock: Callable[[Callable[[], Awaitable[Any]]], Any]) -> Callable[[Path], Lab]:
    """For property tests, which need a laboratory an example."""
    return lambda folder: Lab(folder, on_jumping_clock)


@pytest.fixture(scope="session")
def make() -> Callable[..., StepDef]:
    return step


@pytest.fixture
def fake(tmp_path: Path, lab: Lab) -> FakeProject:
    return FakeProject(tmp_path, lab.sink, lab.jump)
