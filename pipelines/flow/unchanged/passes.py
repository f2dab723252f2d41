"""The passes of steps, between one run and the next: found before a step works, kept when the run is over."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

from pipelines.flow.unchanged.run_settings import RunSettings
from pipelines.model import Status

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    import dagger

    from pipelines.flow.context import RunContext
    from pipelines.flow.dependencies import RunDependencies
    from pipelines.flow.folder import ProjectHome
    from pipelines.flow.prepare import PreparedRun
    from pipelines.flow.request import RunRequest
    from pipelines.flow.state_file import StateFile
    from pipelines.flow.unchanged.interface import PastResults
    from pipelines.flow.unchanged.kept_result import KeptResult
    from pipelines.model import Project, Result
    from pipelines.steps.definition import StepContext


class Passes:
    """What one run takes from those before it, and leaves for those after it."""

    def __init__(
        self,
        *,
        context: RunContext,
        home: ProjectHome,
        work_inputs: Path,
        project: Project,
        prepared: PreparedRun,
        request: RunRequest,
        dependencies: RunDependencies,
    ) -> None:
        self._context = context
        self._home = home
        self._work_inputs = work_inputs
        self._project = project
        self._prepared = prepared
        self._request = request
        self._dependencies = dependencies
        self._settings = RunSettings(prepared.graph.nodes[step.id].definition for step in prepared.plan.working)

    def find(self, state: StateFile, client: Callable[[], dagger.Client]) -> PastResults | None:
        """Results of past runs on the embedded engine of this user; a Dagger engine keeps its own cache. `client` gives a client at once,
        and starts the engine.
        """
        request = self._request
        if request.fresh or not self._dependencies.keeps_results(self._project.engine, request.environ):
            return None
        from pipelines.flow.unchanged.proof import unchanged_steps

        return unchanged_steps(
            project=self._project,
            source=self._prepared.source,
            environ=request.environ,
            clock=self._context.clock,
            client=client,
            settings=self._settings,
            home=self._home,
            state=state,
            open_past=self._dependencies.past_work,
        )

    def keep(self, results: Sequence[Result], value: Callable[[str], object], contexts: Mapping[str, StepContext]) -> None:
        """Note what the steps depended on, as the embedded engine wrote it down when it closed, and what they gave. `results` are
        masked, `value` is what a step returned. Without what the engine wrote, because another one worked or it was killed, only failures
        are noted.
        """
        if not self._work_inputs.exists() and not (self._home.passes.exists() and any(one.status is Status.FAILED for one in results)):
            return
        from pipelines.flow.unchanged.kept_result import tidy_files
        from pipelines.flow.unchanged.pass_records import FinishedRun, PassRecords
        from pipelines.flow.unchanged.proof import deciding

        records = PassRecords.read(self._home.passes, self._project.root, self._request.environ, self._dependencies.past_work)
        finished = FinishedRun(
            id=self._context.id,
            results=results,
            settings=self._settings.still,
            engine=deciding(records.past, self._project.engine),
            attempts={step_id: context.used_attempt for step_id, context in contexts.items()},
            kept=lambda result: self._kept(result, value(result.id), contexts[result.id]),
        )
        records.note(self._work_inputs, finished)
        with contextlib.suppress(OSError):
            records.write(self._home.passes, self._project.root)
            tidy_files(self._home.kept_files, records.kept())
            self._work_inputs.unlink(missing_ok=True)

    def _kept(self, result: Result, value: object, context: StepContext) -> KeptResult | None:
        """What a step gave, where it can be given again without work and no secret can be in it."""
        from pipelines.flow.unchanged.kept_result import keep_result

        step = self._prepared.graph.nodes[result.id].definition
        data = step.keeper().keep(value, self._project, self._prepared.source) if step.keeper is not None else None
        if data is None:
            return None
        return keep_result(result, data, context, self._home.kept_files, self._context.redactor.text)
