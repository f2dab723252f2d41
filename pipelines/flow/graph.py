"""The graph of a run as values: steps in their places, and which of them are selected."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pipelines.steps.definition import StepDef

OWN_KIND = "step"
"""The kind of a user's step that names none."""


@dataclass(frozen=True, slots=True)
class FromGiven:
    """A parameter met by something no step makes; `type` is one of the givens."""

    type: str


@dataclass(frozen=True, slots=True)
class FromStep:
    """A parameter met by the value of an earlier step."""

    id: str


Binding = FromGiven | FromStep


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """A step in its place: what every parameter is met by, and the ids it waits for, each once."""

    definition: StepDef
    bindings: Mapping[str, Binding]
    needs: tuple[str, ...]

    @property
    def id(self) -> str:
        """The step's id."""
        return self.definition.id

    @property
    def skip(self) -> str | None:
        """Why it is not this step's turn, if so."""
        return self.definition.skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Graph:
    """All nodes in a stable topological order, and the ids that are selected to run (with what they need)."""

    nodes: Mapping[str, Node]
    selected: frozenset[str]

    @property
    def needs(self) -> dict[str, tuple[str, ...]]:
        """What every step waits for."""
        return {step_id: node.needs for step_id, node in self.nodes.items()}

    def working(self) -> tuple[Node, ...]:
        """The selected nodes whose turn it is, in order."""
        return tuple(node for node in self.nodes.values() if node.id in self.selected and node.skip is None)

    def wants(self, type_name: str) -> bool:
        """Whether a step that will work asks for a given type."""
        return any(binding == FromGiven(type_name) for node in self.working() for binding in node.bindings.values())

    def wanting(self, type_name: str) -> frozenset[str]:
        """The steps that ask for a given type, or take the value of a step that does."""
        found: set[str] = set()
        for step_id, node in self.nodes.items():
            if any(
                binding.id in found if isinstance(binding, FromStep) else binding.type == type_name for binding in node.bindings.values()
            ):
                found.add(step_id)
        return frozenset(found)


def with_selected(graph: Graph, selected: frozenset[str]) -> Graph:
    """The same graph with another selection."""
    return replace(graph, selected=selected)
