"""Selectors, as the command line takes them, to the steps they mean. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipelines.config.suggest import did_you_mean
from pipelines.errors import NothingSelected
from pipelines.flow.graph import OWN_KIND, with_selected
from pipelines.flow.order import ancestors

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pipelines.flow.graph import Graph, Node


def select(graph: Graph, selectors: Sequence[str]) -> Graph:
    """The graph with the steps that the selectors name, and all they need, selected; no selectors select everything.

    A selector is an id (`test.unit`), a kind (`test`), or the name of the function of a user's own step.

    Raises:
        NothingSelected: a selector matches no step.
    """
    chosen: list[str] = []
    for selector in selectors:
        meant = [node.id for node in graph.nodes.values() if selector in _selectors(node)]
        if not meant:
            raise _nothing(selector, graph)
        chosen += meant
    return with_selected(graph, ancestors(graph.needs, chosen)) if selectors else graph


def _selectors(node: Node) -> tuple[str, ...]:
    step = node.definition
    return (step.id, step.kind, step.name) if step.kind == OWN_KIND else (step.id, step.kind)


def _nothing(selector: str, graph: Graph) -> NothingSelected:
    known = {name for node in graph.nodes.values() for name in _selectors(node)}
    return NothingSelected(
        f"{selector!r} is not a step{did_you_mean(selector, known)}",
        cause=f"steps: {', '.join(graph.nodes) or 'none'}",
        next_step="`lockgate plan` shows every step",
    )
