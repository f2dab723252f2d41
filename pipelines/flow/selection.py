"""Words of the command line to the steps they mean. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipelines.config.suggest import did_you_mean
from pipelines.errors import NothingSelected
from pipelines.flow.graph import OWN_KIND, with_selected
from pipelines.flow.order import ancestors

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pipelines.flow.graph import Graph, Node


def select(graph: Graph, words: Sequence[str]) -> Graph:
    """The graph with the steps the words name, and all they need, selected; no words select everything.

    A word is an id (`test.unit`), a kind (`test`), or the function's name of a step of the user's own.

    Raises:
        NothingSelected: a word names no step.
    """
    chosen: list[str] = []
    for word in words:
        meant = [node.id for node in graph.nodes.values() if word in _words(node)]
        if not meant:
            raise _nothing(word, graph)
        chosen += meant
    return with_selected(graph, ancestors(graph.needs, chosen)) if words else graph


def _words(node: Node) -> tuple[str, ...]:
    step = node.definition
    return (step.id, step.kind, step.name) if step.kind == OWN_KIND else (step.id, step.kind)


def _nothing(word: str, graph: Graph) -> NothingSelected:
    known = {name for node in graph.nodes.values() for name in _words(node)}
    return NothingSelected(
        f"{word!r} is not a step{did_you_mean(word, known)}",
        cause=f"steps: {', '.join(graph.nodes) or 'none'}",
        next_step="`lockgate plan` shows every step",
    )
