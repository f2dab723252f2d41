"""Steps wired into a graph by their signatures. Pure: definitions in, values out.

A parameter is met by a given type (`Project`, `dagger.Client` ...), else by the step whose id it spells (`image_shop` for `image.shop`; a
user's own step also by its function's name), else by the one step that provides its type. Anything else is an error that lists the
candidates.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from pipelines.config.suggest import did_you_mean
from pipelines.errors import GraphError
from pipelines.flow.order import CycleError, topological
from pipelines.flow.types import anything, renamed_type, same_type, tidy
from pipelines.steps.catalog import parameter_name
from pipelines.steps.definition import GIVENS

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pipelines.steps.definition import Parameter, StepDef

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

    def wants(self, given: str) -> bool:
        """Whether a step that will work asks for a given type."""
        return any(binding == FromGiven(given) for node in self.working() for binding in node.bindings.values())

    def wanting(self, given: str) -> frozenset[str]:
        """The steps that ask for a given type, or take the value of a step that does."""
        found: set[str] = set()
        for step_id, node in self.nodes.items():
            if any(binding.id in found if isinstance(binding, FromStep) else binding.type == given for binding in node.bindings.values()):
                found.add(step_id)
        return frozenset(found)


def build(definitions: Sequence[StepDef], givens: Sequence[str] = GIVENS) -> Graph:
    """Wire definitions into a graph; everything is selected.

    Raises:
        GraphError: two steps of one id, a parameter that nothing or too much meets, an unknown id in `after`, or a cycle.
    """
    steps = _by_id(definitions)
    nodes = {step_id: _node(step, steps, givens) for step_id, step in steps.items()}
    try:
        order = topological({step_id: node.needs for step_id, node in nodes.items()})
    except CycleError as error:
        raise GraphError(f"steps need each other in a circle: {error}", next_step="take one of these parameters away") from error
    return Graph(nodes={step_id: nodes[step_id] for step_id in order}, selected=frozenset(order))


def with_selected(graph: Graph, selected: frozenset[str]) -> Graph:
    """The same graph with another selection."""
    return replace(graph, selected=selected)


def _by_id(definitions: Sequence[StepDef]) -> dict[str, StepDef]:
    steps: dict[str, StepDef] = {}
    for step in definitions:
        if step.id in steps:
            raise GraphError(f"two steps have the id {step.id}", next_step="rename one of them")
        steps[step.id] = step
    return steps


def _node(step: StepDef, steps: Mapping[str, StepDef], givens: Sequence[str]) -> Node:
    bindings = {parameter.name: _bind(step, parameter, steps, givens) for parameter in step.parameters}
    needs = dict.fromkeys(binding.id for binding in bindings.values() if isinstance(binding, FromStep))
    for after in step.after:
        if after not in steps:
            raise GraphError(f"{step.id} comes after {after}, which is not a step{did_you_mean(after, steps)}")
        needs[after] = None
    return Node(definition=step, bindings=bindings, needs=tuple(needs))


def _bind(step: StepDef, parameter: Parameter, steps: Mapping[str, StepDef], givens: Sequence[str]) -> Binding:
    if not anything(parameter.annotation):
        given = next((given for given in givens if same_type(given, str(parameter.annotation))), None)
        if given is not None:
            return FromGiven(given)
    named = [other for other in steps.values() if parameter.name in _names(other)]
    if len(named) == 1:
        return FromStep(_fitting(step, parameter, named[0]).id)
    if named:
        raise _ambiguous(step, parameter, named)
    return FromStep(_by_type(step, parameter, steps).id)


def _names(step: StepDef) -> tuple[str, ...]:
    return (parameter_name(step.id), parameter_name(step.name)) if step.kind == OWN_KIND else (parameter_name(step.id),)


def _fitting(step: StepDef, parameter: Parameter, other: StepDef) -> StepDef:
    """The step a parameter names, when it provides the parameter's type as far as both are known."""
    if anything(parameter.annotation) or anything(other.provides) or same_type(str(parameter.annotation), str(other.provides)):
        return other
    raise GraphError(
        f"{step.id} takes {_show(parameter)}, but {other.id} gives {tidy(str(other.provides))}",
        next_step=f"annotate the parameter {parameter.name}: {tidy(str(other.provides))}",
    )


def _by_type(step: StepDef, parameter: Parameter, steps: Mapping[str, StepDef]) -> StepDef:
    others = [other for other in steps.values() if other.id != step.id]
    if anything(parameter.annotation):
        found = []
    else:
        found = [other for other in others if other.provides is not None and same_type(str(parameter.annotation), other.provides)]
    if len(found) == 1:
        return found[0]
    if found:
        raise _ambiguous(step, parameter, found)
    names = {parameter_name(other.id) for other in others}
    raise GraphError(
        f"{step.id} needs {_show(parameter)}, and nothing gives it{did_you_mean(parameter.name, names)}",
        cause=f"candidates: {_candidates(others)}",
        next_step=_new_name(parameter)
        or "name the parameter after a step (id with _ for . and -), or annotate it with a type one step gives",
    )


def _new_name(parameter: Parameter) -> str | None:
    now = renamed_type(parameter.annotation)
    return f"{parameter.annotation} is now {now}" if now else None


def _ambiguous(step: StepDef, parameter: Parameter, found: Sequence[StepDef]) -> GraphError:
    return GraphError(
        f"{step.id} needs {_show(parameter)}, and {len(found)} steps give it",
        cause=f"candidates: {_candidates(found)}",
        next_step=f"name the parameter after the one it means, such as {parameter_name(found[0].id)}",
    )


def _candidates(steps: Sequence[StepDef]) -> str:
    return ", ".join(f"{parameter_name(step.id)}: {tidy(step.provides) if step.provides else 'no type'}" for step in steps) or "none"


def _show(parameter: Parameter) -> str:
    return parameter.name if parameter.annotation is None else f"{parameter.name}: {tidy(parameter.annotation)}"
