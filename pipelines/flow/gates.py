"""Which checks a step waits for that comes after checks (publishing does): every check, those of lockgate.py too, or those that its part of
the configuration names. Pure.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from pipelines.errors import ConfigError
from pipelines.flow.annotations import same_type
from pipelines.flow.order import ancestors
from pipelines.flow.selection import selectable
from pipelines.flow.wiring import build
from pipelines.foundation.similar import did_you_mean

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from pipelines.flow.graph import Graph
    from pipelines.steps.definition import AwaitedChecks, StepDef

CHECK = "Check"


@dataclass(frozen=True, slots=True)
class Gated:
    """The definitions, those that await checks with their gates, and notes about checks that gate nothing."""

    definitions: tuple[StepDef, ...]
    notes: tuple[str, ...] = ()


def gated(definitions: Sequence[StepDef]) -> Gated:
    """Let every step that awaits checks come after them.

    Raises:
        ConfigError: a selector names no step, or one that itself needs what comes after checks.
        GraphError: the steps cannot be wired.
    """
    awaiting = {step.id: step.awaits for step in definitions if step.awaits is not None}
    if not awaiting:
        return Gated(tuple(definitions))
    graph = build([replace(step, after=()) if step.id in awaiting else step for step in definitions])
    possible = tuple(_before(awaiting, graph))
    checks = tuple(step_id for step_id in possible if same_type(str(graph.nodes[step_id].definition.provides), CHECK))
    gates = {awaits: checks if awaits.selectors is None else _named(awaits, frozenset(possible), graph) for awaits in awaiting.values()}
    steps = tuple(replace(step, after=gates[step.awaits]) if step.awaits is not None else step for step in definitions)
    return Gated(steps, tuple(_passed_over(checks, awaiting, build(steps))))


def _before(awaiting: Mapping[str, AwaitedChecks], graph: Graph) -> Iterator[str]:
    """The steps that need nothing of a step that awaits checks, directly or not: only these can come before one."""
    after: set[str] = set()
    for step_id, node in graph.nodes.items():  # each after all it needs
        if step_id in awaiting or not after.isdisjoint(node.needs):
            after.add(step_id)
        else:
            yield step_id


def _passed_over(checks: Sequence[str], awaiting: Mapping[str, AwaitedChecks], graph: Graph) -> Iterator[str]:
    """What is said of checks that may fail without an effect on a step that awaits others."""
    for awaits in dict.fromkeys(awaiting.values()):
        waited = ancestors(graph.needs, [step_id for step_id, one in awaiting.items() if one == awaits])
        missed = [check for check in checks if check not in waited]
        if missed:
            table, _, key = awaits.key.rpartition(".")
            yield f"{awaits.subject} does not wait for {', '.join(missed)}: see [{table}] {key}"


def _named(awaits: AwaitedChecks, possible: frozenset[str], graph: Graph) -> tuple[str, ...]:
    steps = selectable(graph)
    kinds = {node.definition.section: node.definition.kind for node in graph.nodes.values()}
    found: dict[str, None] = {}
    problems = []
    for selector in awaits.selectors or ():
        meant = [step_id for step_id in steps.get(kinds.get(selector, selector), ()) if step_id in possible]
        found |= dict.fromkeys(meant)
        if not meant and selector in steps:
            problems.append(f"{awaits.key}: {selector} itself needs what comes after the checks")
        elif not meant:
            problems.append(f"{awaits.key}: {selector} is not a step{did_you_mean(selector, steps)}")
    if problems:
        raise ConfigError(
            f"{awaits.key} names steps that {awaits.subject} cannot wait for",
            problems=tuple(problems),
            next_step="`lockgate plan` shows the ids; a kind (test, for example) stands for all its steps",
        )
    return tuple(found)
