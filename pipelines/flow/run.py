"""One call from a project to a finished run."""

from __future__ import annotations

import platform
from typing import TYPE_CHECKING

from pipelines.errors import UsageError
from pipelines.flow.dependencies import RunDependencies, real_dependencies

if TYPE_CHECKING:
    from pipelines.flow.plan import Plan
    from pipelines.flow.progress import Sink
    from pipelines.flow.request import RunRequest
    from pipelines.flow.stop import Stop
    from pipelines.flow.unchanged.prediction import Prediction
    from pipelines.model import Project, Run


def plan_project(project: Project, request: RunRequest, dependencies: RunDependencies | None = None) -> Plan:
    """What `run_project` would do with the same request; needs no engine and writes nothing.

    Raises:
        UsageError: `lockgate.py` cannot be read, or the steps cannot be wired.
        NothingSelected: a selector matches no step.
    """
    from pipelines.flow.prepare import prepare

    return prepare(project, request, dependencies or real_dependencies()).plan


def explain_project(
    project: Project, request: RunRequest, dependencies: RunDependencies | None = None
) -> tuple[Plan, tuple[Prediction, ...]]:
    """The plan, and for every step that would run whether the embedded engine would find it done; starts no engine, writes nothing.

    Raises:
        UsageError: `lockgate.py` cannot be read, the steps cannot be wired, the engine's variables contradict each other, or this is not
            Linux.
        NothingSelected: a selector matches no step.
    """
    if platform.system() != "Linux":
        raise UsageError("--explain is about the embedded engine, which runs on Linux only", next_step="leave --explain out")
    from pipelines.flow.prepare import prepare
    from pipelines.flow.unchanged.prediction import predict

    dependencies = dependencies or real_dependencies()
    prepared = prepare(project, request, dependencies)
    return prepared.plan, predict(project, request, prepared, dependencies)


async def run_project(
    project: Project, request: RunRequest, sink: Sink | None = None, stop: Stop | None = None, dependencies: RunDependencies | None = None
) -> Run:
    """Run the selected steps and write `run.json`, logs and reports.

    What happens to a step is in `Run.results`, never an exception. A stop (see `Stop`) still returns the run, with what did finish; a
    cancellation of the calling task writes the same and lets the cancellation through.
    A step that is still at work 15 s after its time limit is given up: its task (or thread) may outlive this call.

    Raises:
        UsageError: `lockgate.py` cannot be read, or the steps cannot be wired.
        NothingSelected: a selector matches no step.
        Unavailable: another run is at work in this folder, or its folder cannot be written.
    """
    from pipelines.flow.context import RunContext, recorded
    from pipelines.flow.folder import ProjectHome
    from pipelines.flow.graph_run import GraphRun
    from pipelines.flow.prepare import prepare
    from pipelines.flow.progress import NullSink
    from pipelines.flow.secret_values import secret_values
    from pipelines.flow.stop import Stop
    from pipelines.foundation.redaction import Redactor

    dependencies = dependencies or real_dependencies()
    prepared = prepare(project, request, dependencies)
    context = RunContext(
        clock=dependencies.clock,
        redactor=Redactor(secret_values(project, request.environ)),
        sink=sink or NullSink(),
        stop=stop or Stop(),
    )
    home = ProjectHome.of(project.root)
    with recorded(home, context) as folder:
        run = GraphRun(
            context=context, home=home, folder=folder, project=project, request=request, prepared=prepared, dependencies=dependencies
        )
        return await run.run()
