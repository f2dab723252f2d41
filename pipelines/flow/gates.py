"""Which checks a publish step waits for: every check, those of lockgate.py too, or those that `[publish] after` names. Pure."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from pipelines.config.suggest import did_you_mean
from pipelines.errors import ConfigError
from pipelines.flow.annotations import same_type
from pipelines.flow.order import ancestors
from pipelines.flow.selection import selectable
from pipelines.flow.wiring import build

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from pipelines.flow.graph import Graph
    from pipelines.steps.definition import StepDef

PUBLISH, CHECK = "publish", "Check"
_TABLES = {"tests": "test", "images": "image"}
"""Names of tables that people write for the kind."""


@dataclass(frozen=True, slots=True)
class Gated:
    """The definitions with the gates of their publish steps, and the checks that are not gates."""

    definitions: tuple[StepDef, ...]
    passed_over: tuple[str, ...] = ()


def gated(definitions: Sequence[StepDef], after: Sequence[str] | None) -> Gated:
    """Let every publish step wait for its gates; `after` holds ids and kinds, None stands for every check.

    Raises:
        ConfigError: a selector names no step, or one that itself needs what is published.
        GraphError: the steps cannot be wired.
    """
    if not any(step.kind == PUBLISH for step in definitions):
        return Gated(tuple(definitions))
    graph = build([replace(step, after=()) if step.kind == PUBLISH else step for step in definitions])
    possible = tuple(_before_publishing(graph))
    checks = tuple(step_id for step_id in possible if same_type(str(graph.nodes[step_id].definition.provides), CHECK))
    gates = checks if after is None else _named(after, frozenset(possible), graph)
    steps = tuple(replace(step, after=gates) if step.kind == PUBLISH else step for step in definitions)
    waited = ancestors(build(steps).needs, [step.id for step in definitions if step.kind == PUBLISH])
    return Gated(steps, tuple(check for check in checks if check not in waited))


def _before_publishing(graph: Graph) -> Iterator[str]:
    """The steps that need nothing of a publish step, directly or not: only these can come before one."""
    published: set[str] = set()
    for step_id, node in graph.nodes.items():  # each after all it needs
        if node.definition.kind == PUBLISH or not published.isdisjoint(node.needs):
            published.add(step_id)
        else:
            yield step_id


def _named(selectors: Sequence[str], possible: frozenset[str], graph: Graph) -> tuple[str, ...]:
    steps = selectable(graph)
    found: dict[str, None] = {}
    problems = []
    for selector in selectors:
        meant = [step_id for step_id in steps.get(_TABLES.get(selector, selector), ()) if step_id in possible]
        found |= dict.fromkeys(meant)
        if not meant and selector in steps:
            problems.append(f"publish.after: {selector} itself needs what is published")
        elif not meant:
            problems.append(f"publish.after: {selector} is not a step{did_you_mean(selector, steps)}")
    if problems:
        raise ConfigError(
            "[publish] after names steps that publishing cannot wait for",
            problems=tuple(problems),
            next_step="`lockgate plan` shows the ids; a kind (test, scan, perf) stands for all its steps",
        )
    return tuple(found)
