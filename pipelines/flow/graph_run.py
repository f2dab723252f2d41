"""One run of a graph: its steps, the engine beside them where one needs it, and the record of how it ended."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

import anyio

from pipelines.flow.listener import EngineListener
from pipelines.flow.masking import mask_files
from pipelines.flow.outcome import ended_by
from pipelines.flow.printed import masked_prints
from pipelines.flow.run_engine import RunEngine
from pipelines.flow.run_record import RunRecorder
from pipelines.flow.scheduler import Scheduler, SchedulerOptions, default_jobs
from pipelines.flow.state_file import StateFile
from pipelines.flow.step_output import StepOutputs
from pipelines.flow.unchanged.passes import Passes
from pipelines.foundation.clock import timestamp
from pipelines.model import Run, RunEnd
from pipelines.steps.definition import CLIENT, CONTEXT

if TYPE_CHECKING:
    from pipelines.flow.context import RunContext
    from pipelines.flow.dependencies import RunDependencies
    from pipelines.flow.folder import ProjectHome, RunFolder
    from pipelines.flow.prepare import PreparedRun
    from pipelines.flow.request import RunRequest
    from pipelines.model import Project

_ENGINE_LOG = "engine"


class GraphRun:
    """Runs a prepared graph in a context, which must have its folder (see `recorded`)."""

    def __init__(
        self,
        *,
        context: RunContext,
        home: ProjectHome,
        folder: RunFolder,
        project: Project,
        request: RunRequest,
        prepared: PreparedRun,
        dependencies: RunDependencies,
    ) -> None:
        self._context = context
        self._home = home
        self._folder = folder
        self._project = project
        self._request = request
        self._prepared = prepared
        state = StateFile.read(home.state)
        self._engine = RunEngine(dependencies, context, prepared.graph.wanting(CLIENT))
        self._listener = EngineListener(context, _ENGINE_LOG)
        self._outputs = StepOutputs(context, folder, state, self._listener, fresh=request.fresh)
        self._passes = Passes(
            context=context,
            home=home,
            work_inputs=folder.work_inputs,
            project=project,
            prepared=prepared,
            request=request,
            dependencies=dependencies,
        )
        self._scheduler = Scheduler(prepared.graph, self._givens(), self._options(dependencies, state), context.sink)
        self._recorder = RunRecorder(
            context=context,
            home=home,
            folder=folder,
            state=state,
            outputs=self._outputs,
            describe=self._describe,
            dependencies=dependencies,
            output=request.output,
        )

    async def run(self) -> Run:
        """Run the steps, close the engine, write everything, return the run.

        Raises:
            LockgateError: an error of the run itself ended it; its record says so.
        """
        self._context.stop.on_kill(self._kill)
        try:
            self._context.sink.run_started(self._context.id, self._prepared.plan)
            self._note_what_is_known()
            with masked_prints(self._context.redactor):
                await self._work()
        except anyio.get_cancelled_exc_class():
            self._end(RunEnd.CANCELLED)
            raise
        except BaseException as error:
            ours = ended_by(error)
            self._end(RunEnd.ERROR, ours)
            if ours is error:
                raise
            raise ours from error
        return self._end(RunEnd.COMPLETED if self._context.stop.signal is None else RunEnd.STOPPED)

    def _note_what_is_known(self) -> None:
        if self._context.unfinished is not None:
            self._context.note(
                f"the run before this one ({self._context.unfinished}) did not record its end: it was killed, or the machine stopped"
            )
        for note in self._prepared.plan.notes:
            self._context.sink.note(note)

    async def _work(self) -> None:
        if not self._prepared.graph.wants(CLIENT):
            await self._scheduler.run()
            return
        redactor, log = self._context.redactor, self._folder.log(_ENGINE_LOG)
        known = redactor.value_count
        try:
            with contextlib.closing(self._listener) as listener:
                async with self._engine.beside(self._project.engine, self._request.environ, listener.line, self._folder.work_inputs):
                    await self._scheduler.run()
        finally:
            if redactor.value_count > known:  # the engine's log has lines from before a secret became known
                mask_files((str(log),), redactor)
        self._passes.keep(self._scheduler.results(), self._scheduler.value, self._outputs.contexts)

    def _givens(self) -> dict[str, object]:
        return {"Project": self._project, "Source": self._prepared.source, CLIENT: self._engine.client, CONTEXT: None}

    def _options(self, dependencies: RunDependencies, state: StateFile) -> SchedulerOptions:
        keep_going = self._project.keep_going if self._request.keep_going is None else self._request.keep_going
        return SchedulerOptions(
            output=self._outputs.new,
            jobs=self._request.jobs or self._project.jobs or default_jobs(),
            keep_going=keep_going,
            foreign=dependencies.foreign(),
            stop=self._context.stop,
            past=self._passes.find(state, self._engine.client_at_once),
            ready=self._engine.ready,
            around=self._engine.around,
            lost=self._engine.lifetime.lose,
        )

    def _describe(self) -> Run:
        """The run but for what its end decides."""
        source = self._prepared.source
        return Run(
            id=self._context.id,
            project=self._project.name,
            revision=source.revision or self._prepared.provider.revision,
            version=source.version,
            started=timestamp(self._context.started, digits="milliseconds"),
            duration_s=0.0,
            engine=self._engine.info,
            exit_code=0,
            results=(),
            provider=self._prepared.provider.name,
            folder=str(self._folder.path),
        )

    def _end(self, end: RunEnd, error: BaseException | None = None) -> Run:
        if error is not None:
            self._scheduler.end_rest("an error ended the run")
        return self._recorder.finish(self._scheduler.results(), end, error)

    def _kill(self, signum: int) -> None:
        self._recorder.kill(self._scheduler.results(rest="the run was ended at once"), signum)
