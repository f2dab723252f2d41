"""Selectors, as the command line takes them, to the steps they mean. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipelines.errors import NothingSelected
from pipelines.flow.graph import OWN_KIND, with_selected
from pipelines.flow.order import ancestors
from pipelines.foundation.similar import did_you_mean

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pipelines.flow.graph import Graph


def select(graph: Graph, selectors: Sequence[str]) -> Graph:
    """The graph with the steps that the selectors name, and all they need, selected; no selectors select everything.

    A selector is an id (`test.unit`), a kind (`test`), or the name of the function of a user's own step.

    Raises:
        NothingSelected: a selector matches no step.
    """
    if not selectors:
        return graph
    steps = selectable(graph)
    chosen: list[str] = []
    for selector in selectors:
        if selector not in steps:
            raise NothingSelected(
                f"{selector!r} is not a step{did_you_mean(selector, steps)}",
                cause=f"steps: {', '.join(graph.nodes) or 'none'}",
                next_step="`lockgate plan` shows every step",
            )
        chosen += steps[selector]
    return with_selected(graph, ancestors(graph.needs, chosen))


def selectable(graph: Graph) -> Mapping[str, Sequence[str]]:
    """Every selector that means something, and the ids of the steps it means, in the graph's order."""
    steps: dict[str, list[str]] = {}
    for node in graph.nodes.values():
        step = node.definition
        for selector in {step.id, step.kind, *((step.name,) if step.kind == OWN_KIND else ())}:
            steps.setdefault(selector, []).append(step.id)
    return steps
