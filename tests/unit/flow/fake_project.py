"""A project folder to run in, with fakes for the engine, git and the built-in steps; and a few steps."""

from __future__ import annotations

import contextlib
import datetime as dt
import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import anyio

from pipelines.flow.attempts import ForeignErrors
from pipelines.flow.dependencies import RunDependencies, real_dependencies
from pipelines.flow.folder import ProjectHome
from pipelines.flow.request import RunRequest
from pipelines.flow.run import run_project
from pipelines.flow.stop import Stop
from pipelines.foundation.clock import Clock
from pipelines.model import Check, EngineInfo, EngineSpec, Project, Run, Source, Verdict
from pipelines.providers import Provider
from pipelines.report import write_all, write_record

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
    from pathlib import Path

    from pipelines.engine.lifetime import Lifetime
    from pipelines.steps.definition import StepContext, StepDef
    from tests.unit.flow.conftest import Recorder

NOW = dt.datetime(2026, 1, 31, 12, tzinfo=dt.UTC)
INFO = EngineInfo(kind="embedded", reason="asked for")


@dataclass
class FakeProject:
    """A project folder and what a run needs from outside it."""

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
    choice_error: BaseException | None = None
    write_reports: Callable[[Run, Path], Sequence[Path]] = write_all
    write_record: Callable[[Run, Path], Path] = write_record
    stop: Stop = field(default_factory=Stop)
    info: EngineInfo = INFO
    requesters: list[str] = field(default_factory=list)
    work_inputs: Path | None = None

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
            write_record=self.write_record,
            copy_record=real_dependencies().copy_record,
            clock=Clock(now=lambda: NOW, monotonic=anyio.current_time),
            asking=self.asking,
        )

    def choose(self, spec: EngineSpec, environ: Mapping[str, str]) -> Any:
        if self.choice_error is not None:
            raise self.choice_error
        return spec

    @contextlib.asynccontextmanager
    async def open_engine(
        self, choice: object, log: Callable[[str], None], work_inputs: Path, lifetime: Lifetime
    ) -> AsyncIterator[EngineInfo]:
        self.engine.append("opening")
        self.work_inputs, self.lifetime = work_inputs, lifetime
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
    def asking(self, requester: str) -> Iterator[None]:
        self.requesters.append(requester)
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

    def record(self) -> dict[str, Any]:
        """What the newest run left in its own folder."""
        latest = self.home.latest()
        assert latest is not None
        record: dict[str, Any] = json.loads(latest.record.read_text())
        return record


async def plain(context: StepContext) -> str:
    context.log("hello\n")
    return "value"


async def asks(client: dagger.Client) -> str:  # type: ignore[name-defined]  # noqa: F821
    return str(client)


async def fails() -> Check:
    return Check(verdict=Verdict.FAIL, reason="one is wrong")


def statuses(run: Run) -> dict[str, str]:
    return {result.id: str(result.status) for result in run.results}
