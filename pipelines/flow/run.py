"""One call from a project to a finished run."""

from __future__ import annotations

import platform
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from pipelines.errors import UsageError
from pipelines.flow.dependencies import RunDependencies, real_dependencies

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pipelines.flow.explain import Prediction
    from pipelines.flow.plan import Plan
    from pipelines.flow.progress import Sink
    from pipelines.flow.stop import Stop
    from pipelines.model import Project, Run


@dataclass(frozen=True, slots=True, kw_only=True)
class RunRequest:
    """What the command line asks of a run.

    `selectors` name steps by id or kind (none: all steps). `publish` overrides `[publish] when` (--publish / --no-publish). `jobs` and
    `keep_going` override the project's. `environ` is the environment providers, secrets and the engine choice look at.
    """

    selectors: tuple[str, ...] = ()
    publish: bool | None = None
    jobs: int | None = None
    keep_going: bool | None = None
    allow_empty: bool = False
    environ: Mapping[str, str] = field(default_factory=dict, repr=False)


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
    from pipelines.flow.explain import explain
    from pipelines.flow.prepare import prepare

    dependencies = dependencies or real_dependencies()
    prepared = prepare(project, request, dependencies)
    return prepared.plan, explain(project, request, prepared, dependencies)


async def run_project(
    project: Project, request: RunRequest, sink: Sink | None = None, stop: Stop | None = None, dependencies: RunDependencies | None = None
) -> Run:
    """Run the selected steps and write `run.json`, logs and reports.

    What happens to a step is in `Run.results`, never an exception. A stop (see `Stop`) still returns the run, with what did finish; a
    cancellation of the calling task writes the same and lets the cancellation through.

    Raises:
        UsageError: `lockgate.py` cannot be read, or the steps cannot be wired.
        NothingSelected: a selector matches no step.
        Unavailable: another run is at work in this folder, or its folder cannot be written.
    """
    from pipelines.flow.conductor import Conductor
    from pipelines.flow.folder import ProjectHome
    from pipelines.flow.lock import run_lock
    from pipelines.flow.prepare import prepare
    from pipelines.flow.progress import NullSink
    from pipelines.flow.stop import Stop

    dependencies = dependencies or real_dependencies()
    prepared = prepare(project, request, dependencies)
    home = ProjectHome.of(project.root)
    home.make()
    with run_lock(home.lock):
        conductor = Conductor(
            project=project,
            request=request,
            prepared=prepared,
            home=home,
            sink=sink or NullSink(),
            stop=stop or Stop(),
            dependencies=dependencies,
        )
        return await conductor.run()
