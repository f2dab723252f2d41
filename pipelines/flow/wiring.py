"""Steps wired into a graph by their signatures. Pure: definitions in, values out; the time grows with the number of parameters.

A parameter is met by a given type (`Project`, `dagger.Client` ...), else by the step whose id it spells (`image_shop` for `image.shop`; a
user's own step also by its function's name), else by the one step that provides its type. Anything else is an error that lists the
candidates.
"""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from pipelines.errors import GraphError
from pipelines.flow.annotations import anything, last_name, renamed_type, same_type, tidy
from pipelines.flow.graph import OWN_KIND, FromGiven, FromStep, Graph, Node
from pipelines.flow.order import CycleError, topological
from pipelines.foundation.similar import did_you_mean
from pipelines.steps.definition import GIVENS, parameter_name

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pipelines.flow.graph import Binding
    from pipelines.steps.definition import Parameter, StepDef


def build(definitions: Sequence[StepDef], givens: Sequence[str] = GIVENS) -> Graph:
    """Wire definitions into a graph; everything is selected.

    Raises:
        GraphError: two steps of one id, a parameter that nothing or too much meets, an unknown id in `after`, or a cycle.
    """
    steps = _Steps(definitions, givens)
    nodes = {step.id: steps.node(step) for step in definitions}
    try:
        order = topological({step_id: node.needs for step_id, node in nodes.items()})
    except CycleError as error:
        raise GraphError(f"steps need each other in a circle: {error}", next_step="remove one of these parameters") from error
    return Graph(nodes={step_id: nodes[step_id] for step_id in order}, selected=frozenset(order))


class _Steps:
    """All steps, found by id, by the names that a parameter may call them, and by the last part of the type they give."""

    def __init__(self, definitions: Sequence[StepDef], givens: Sequence[str]) -> None:
        self._by_id: dict[str, StepDef] = {}
        self._by_name: defaultdict[str, list[StepDef]] = defaultdict(list)
        self._by_type: defaultdict[str, list[StepDef]] = defaultdict(list)
        self._givens = givens
        for step in definitions:
            self._add(step)

    def node(self, step: StepDef) -> Node:
        """The step in its place.

        Raises:
            GraphError: a parameter that nothing or too much meets, or an unknown id in `after`.
        """
        bindings = {parameter.name: self._bind(step, parameter) for parameter in step.parameters}
        needs = dict.fromkeys(binding.id for binding in bindings.values() if isinstance(binding, FromStep))
        for after in step.after:
            if after not in self._by_id:
                raise GraphError(f"{step.id} waits for {after}, which is not a step{did_you_mean(after, self._by_id)}")
            needs[after] = None
        return Node(definition=step, bindings=bindings, needs=tuple(needs))

    def _add(self, step: StepDef) -> None:
        if step.id in self._by_id:
            raise GraphError(f"two steps have the id {step.id}", next_step="rename one of them")
        self._by_id[step.id] = step
        for name in {parameter_name(step.id), *((parameter_name(step.name),) if step.kind == OWN_KIND else ())}:
            self._by_name[name].append(step)
        if step.provides is not None:
            self._by_type[last_name(step.provides)].append(step)

    def _bind(self, step: StepDef, parameter: Parameter) -> Binding:
        if not anything(parameter.annotation):
            given = next((given for given in self._givens if same_type(given, str(parameter.annotation))), None)
            if given is not None:
                return FromGiven(given)
        named = self._by_name.get(parameter.name, ())
        if len(named) == 1:
            return FromStep(_fitting(step, parameter, named[0]).id)
        if named:
            raise _ambiguous(step, parameter, named)
        return FromStep(self._of_type(step, parameter).id)

    def _of_type(self, step: StepDef, parameter: Parameter) -> StepDef:
        annotation = None if anything(parameter.annotation) else str(parameter.annotation)
        same = [] if annotation is None else self._by_type.get(last_name(annotation), [])
        found = [other for other in same if other.id != step.id and same_type(str(annotation), str(other.provides))]
        if len(found) == 1:
            return found[0]
        if found:
            raise _ambiguous(step, parameter, found)
        others = [other for other in self._by_id.values() if other.id != step.id]
        names = {parameter_name(other.id) for other in others}
        raise GraphError(
            f"{step.id} needs {_show(parameter)}, and no step returns it{did_you_mean(parameter.name, names)}",
            cause=f"candidates: {_candidates(others)}",
            next_step=_new_name(parameter)
            or "name the parameter after a step (its id with _ in place of . and -), or annotate it with a type that one step returns",
        )


def _fitting(step: StepDef, parameter: Parameter, other: StepDef) -> StepDef:
    """The step a parameter names, when it provides the parameter's type as far as both are known."""
    if anything(parameter.annotation) or anything(other.provides) or same_type(str(parameter.annotation), str(other.provides)):
        return other
    raise GraphError(
        f"{step.id} takes {_show(parameter)}, but {other.id} gives {tidy(str(other.provides))}",
        next_step=f"annotate the parameter {parameter.name}: {tidy(str(other.provides))}",
    )


def _new_name(parameter: Parameter) -> str | None:
    now = renamed_type(parameter.annotation)
    return f"{parameter.annotation} is now {now}" if now else None


def _ambiguous(step: StepDef, parameter: Parameter, found: Sequence[StepDef]) -> GraphError:
    return GraphError(
        f"{step.id} needs {_show(parameter)}, and {len(found)} steps return it",
        cause=f"candidates: {_candidates(found)}",
        next_step=f"name the parameter after the step that is meant, such as {parameter_name(found[0].id)}",
    )


def _candidates(steps: Sequence[StepDef]) -> str:
    return ", ".join(f"{parameter_name(step.id)}: {tidy(step.provides) if step.provides else 'no type'}" for step in steps) or "none"


def _show(parameter: Parameter) -> str:
    return parameter.name if parameter.annotation is None else f"{parameter.name}: {tidy(parameter.annotation)}"
