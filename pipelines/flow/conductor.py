"""One run from its folder to its reports: engine, scheduler, state and what is written when."""

from __future__ import annotations

import contextlib
import dataclasses
import functools
from typing import TYPE_CHECKING

import anyio

from pipelines.engine.engine_lines import requester_id
from pipelines.errors import ExitCode
from pipelines.flow.annotations import same_type
from pipelines.flow.folder import new_run_id
from pipelines.flow.listener import EngineListener
from pipelines.flow.log_writer import LogWriter
from pipelines.flow.masking import mask_files
from pipelines.flow.outcome import exit_code
from pipelines.flow.run_engine import RunEngine
from pipelines.flow.scheduler import CONTEXT, Scheduler, SchedulerOptions, default_jobs
from pipelines.flow.secret_values import secret_values
from pipelines.flow.state_file import StateFile
from pipelines.flow.step_output import StepOutput
from pipelines.foundation.redaction import Redactor
from pipelines.model import EngineKind, Run
from pipelines.steps.definition import StepContext

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from pipelines.flow.dependencies import RunDependencies
    from pipelines.flow.folder import ProjectHome
    from pipelines.flow.prepare import PreparedRun
    from pipelines.flow.progress import Sink
    from pipelines.flow.run import RunRequest
    from pipelines.flow.stop import Stop
    from pipelines.model import Project, Result
    from pipelines.steps.definition import StepDef

CLIENT = "dagger.Client"
_ENGINE_LOG = "engine"


class Conductor:
    """Conducts one run. The lock of the project's folder must be held."""

    def __init__(
        self,
        *,
        project: Project,
        request: RunRequest,
        prepared: PreparedRun,
        home: ProjectHome,
        sink: Sink,
        stop: Stop,
        dependencies: RunDependencies,
    ) -> None:
        self._project = project
        self._request = request
        self._prepared = prepared
        self._home = home
        self._sink = sink
        self._stop = stop
        self._dependencies = dependencies
        self._started = dependencies.now()
        self._began = anyio.current_time()
        self._id = new_run_id(self._started)
        self._folder = home.new_run(self._id)
        self._redactor = Redactor(secret_values(project, request.environ))
        self._state = StateFile.read(home.state)
        self._contexts: dict[str, StepContext] = {}
        self._outputs: dict[str, StepOutput] = {}
        self._write_failed = False
        self._needing_engine = prepared.graph.wanting(CLIENT)
        self._engine = RunEngine(dependencies, sink.engine_ready, self._note)
        stop.on_request(lambda _signum: self._engine.lifetime.shorten_waits())
        self._listener = EngineListener(self._redactor, sink, self._folder.log(_ENGINE_LOG), self._on_write_error)

    async def run(self) -> Run:
        """Run the steps, write everything, return the run."""
        self._sink.run_started(self._id, self._prepared.plan)
        for note in self._prepared.plan.notes:
            self._sink.note(note)
        if not self._prepared.graph.wants(CLIENT):
            return await self._steps()
        self._home.ledger.unlink(missing_ok=True)
        known = self._redactor.known
        try:
            with contextlib.closing(self._listener) as listener:
                async with self._engine.beside(self._project.engine, self._request.environ, listener.line, self._home.ledger):
                    run = await self._steps()
        finally:
            if self._redactor.known > known:  # the engine's log has lines from before a secret became known
                mask_files((str(self._folder.log(_ENGINE_LOG)),), self._redactor)
        self._keep_book(run)
        return run

    async def _steps(self) -> Run:
        scheduler = Scheduler(self._prepared.graph, self._givens(), self._options(), self._sink)
        try:
            await scheduler.run()
        except anyio.get_cancelled_exc_class():
            self._finish(scheduler.results(), cancelled=True)
            raise
        return self._finish(scheduler.results())

    def _givens(self) -> dict[str, object]:
        source = self._prepared.source
        return {"Project": self._project, "Source": source, CLIENT: self._engine.client, CONTEXT: None}

    def _options(self) -> SchedulerOptions:
        keep_going = self._project.keep_going if self._request.keep_going is None else self._request.keep_going
        jobs = self._request.jobs or self._project.jobs or default_jobs()
        return SchedulerOptions(
            output=self._new_output,
            jobs=jobs,
            keep_going=keep_going,
            foreign=self._dependencies.foreign(),
            stop=self._stop,
            around=self._around,
            lost=self._engine.lifetime.lose,
        )

    @contextlib.contextmanager
    def _around(self, step: StepDef) -> Iterator[None]:
        """A step that needs the engine ends when the engine goes away.

        The embedded engine is told who asks, so that it can tell whose commands print what; to another one nothing is sent.
        """
        with contextlib.ExitStack() as stack:
            if step.id in self._needing_engine:
                stack.enter_context(self._engine.needed())
            engine = self._engine.info
            if engine is not None and engine.kind == EngineKind.EMBEDDED:
                stack.enter_context(self._dependencies.asking(requester_id(step.id)))
            yield

    def _new_output(self, step: StepDef) -> StepOutput:
        folder = self._folder.artifacts(step.id)
        context = StepContext(id=step.id, run_id=self._id, folder=folder, attempt=self._state.attempt(step.id))
        self._contexts[step.id] = context
        if any(parameter.annotation is not None and same_type(parameter.annotation, CONTEXT) for parameter in step.parameters):
            self._make(folder)  # a step without its context knows of no folder
        log = LogWriter(
            redactor=self._redactor,
            path=self._folder.log(step.id),
            output=lambda text: self._sink.step_output(step.id, text),
            on_write_error=self._on_write_error,
            progress=functools.partial(self._sink.step_progress, step.id),
        )
        self._listener.add(step.id, log)
        self._outputs[step.id] = StepOutput(context, log, self._redactor, self._on_write_error)
        return self._outputs[step.id]

    def _make(self, folder: Path) -> None:
        try:
            folder.mkdir(exist_ok=True)
        except OSError as error:
            self._on_write_error(error)

    def _finish(self, results: tuple[Result, ...], *, cancelled: bool = False) -> Run:
        """Write what is known, even when some of it cannot be written; no step waits here."""
        results = tuple(self._outputs[result.id].close_again(result) if result.id in self._outputs else result for result in results)
        code = exit_code(results, self._stop.signal)
        run = self._document(results, ExitCode.INTERRUPTED if cancelled and self._stop.signal is None else code)
        self._folder.tidy(self._contexts)
        self._state.note(results, self._contexts)
        if not self._written(run) and run.exit_code == ExitCode.OK:
            run = dataclasses.replace(run, exit_code=ExitCode.UNAVAILABLE)
        self._sink.run_finished(run)
        return run

    def _document(self, results: tuple[Result, ...], code: int) -> Run:
        source = self._prepared.source
        return Run(
            id=self._id,
            project=self._project.name,
            revision=source.revision or self._prepared.provider.revision,
            version=source.version,
            started=self._started.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
            duration_s=anyio.current_time() - self._began,
            engine=self._engine.info,
            exit_code=int(code),
            results=results,
            provider=self._prepared.provider.name,
            folder=str(self._folder.path),
        )

    def _written(self, run: Run) -> bool:
        try:
            self._state.write()
            for report in self._dependencies.write_reports(run, self._folder.path):
                self._home.publish(report)
        except OSError as error:
            self._note(f"the reports cannot be written: {error}; free space on the disk, then run again")
            return False
        return not self._write_failed

    def _keep_book(self, run: Run) -> None:
        """Note for `plan --explain` what the steps depended on, as the embedded engine wrote it down when it closed."""
        if not self._home.ledger.exists():
            return
        from pipelines.flow.book import Book

        book = Book.read(self._home.explain, self._project.root)
        attempts = {step_id: context.used_attempt for step_id, context in self._contexts.items()}
        book.note(self._home.ledger, run.results, self._project, self._prepared.source, attempts)
        with contextlib.suppress(OSError):
            book.write(self._home.explain, self._project.root)
            self._home.ledger.unlink()

    def _note(self, text: str) -> None:
        self._sink.note(self._redactor.text(text))

    def _on_write_error(self, error: OSError) -> None:
        """A log or an artifact that cannot be written: said once, the steps go on."""
        if not self._write_failed:
            self._write_failed = True
            self._note(f"logs cannot be written: {error}; free space on the disk")
