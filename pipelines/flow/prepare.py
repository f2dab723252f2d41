"""From a project and a request to a graph with its selection: what plan and run have in common."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pipelines.errors import NothingSelected
from pipelines.flow.gates import gated
from pipelines.flow.plan import NOT_SELECTED, Plan, PlannedStep
from pipelines.flow.selection import select
from pipelines.flow.userfile import user_steps
from pipelines.flow.wiring import build
from pipelines.model import Insecure
from pipelines.steps.interface import RunOptions

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pipelines.flow.dependencies import RunDependencies
    from pipelines.flow.graph import Graph, Node
    from pipelines.flow.request import RunRequest
    from pipelines.model import Project, Source
    from pipelines.providers import Provider
    from pipelines.steps.definition import StepDef


@dataclass(frozen=True, slots=True, kw_only=True)
class PreparedRun:
    """A graph ready to run, and what was learned on the way."""

    graph: Graph
    source: Source
    provider: Provider
    plan: Plan


def prepare(project: Project, request: RunRequest, dependencies: RunDependencies) -> PreparedRun:
    """Wire and select the steps of a project; needs no engine and writes nothing.

    Raises:
        UsageError: `lockgate.py` cannot be read, or the steps cannot be wired.
        NothingSelected: a selector matches no step, or there are no steps.
    """
    provider = dependencies.detect(request.environ)
    source = on_branch(dependencies.read_source(project.root), provider)
    own = user_steps(project.root)
    options = RunOptions(publish=request.publish, in_ci=provider.in_ci)
    steps = (_limited(step, project.timeout_s) for step in (*dependencies.builtin(project, source, options), *own.steps))
    gates = gated(tuple(steps))
    graph = select(build(gates.definitions), request.selectors)
    if not graph.nodes and not request.allow_empty:
        raise NothingSelected(
            f"{project.name} has no steps", next_step="add [images.NAME] or [tests.NAME] to its configuration; `lockgate init` shows how"
        )
    unknown = (source.unknown,) if source.unknown is not None else ()
    notes = (*own.notes, *unknown, *permissions(project), *gates.notes)
    plan = Plan(project=project.name, steps=tuple(_planned(node, graph) for node in graph.nodes.values()), notes=notes)
    return PreparedRun(graph=graph, source=source, provider=provider, plan=plan)


def _limited(step: StepDef, timeout_s: float) -> StepDef:
    """The step with the project's limit, where it has none of its own."""
    if step.limits.timeout_s is not None:
        return step
    return dataclasses.replace(step, limits=dataclasses.replace(step.limits, timeout_s=timeout_s))


def permissions(project: Project) -> Iterator[str]:
    """What the configuration allows and a reader should notice."""
    if project.engine.insecure is Insecure.ALL:
        yield '[engine] insecure = "all": Dockerfiles may start commands with all capabilities of the machine (RUN --security=insecure)'


def on_branch(source: Source, provider: Provider) -> Source:
    """The source with the branch the CI provider knows: it checks out a commit, not a branch, so git cannot tell."""
    if source.branch is not None or provider.branch is None or provider.revision not in {None, source.revision}:
        return source
    return dataclasses.replace(source, branch=provider.branch)


def _planned(node: Node, graph: Graph) -> PlannedStep:
    step = node.definition
    return PlannedStep(
        id=step.id,
        kind=step.kind,
        name=step.name,
        needs=node.needs,
        skip=step.skip if node.id in graph.selected else NOT_SELECTED,
        describe=step.describe,
        timeout_s=step.limits.timeout_s,
    )
