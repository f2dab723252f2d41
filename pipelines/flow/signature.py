"""What a step function takes and gives, as text."""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, Any

from pipelines.errors import GraphError
from pipelines.steps.definition import Parameter

if TYPE_CHECKING:
    from collections.abc import Callable

_BY_NAME = (inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY)


def parameters_of(function: Callable[..., Any]) -> tuple[Parameter, ...]:
    """The parameters the graph must meet: those without a default, as with fixtures.

    Raises:
        GraphError: the function takes `*args`, `**kwargs` or positional-only parameters, which cannot be met by name.
    """
    wanted = []
    for parameter in inspect.signature(function).parameters.values():
        if parameter.kind not in _BY_NAME:
            raise GraphError(
                f"{function.__name__} takes {parameter}, which cannot be met by name", next_step="name every value the step needs"
            )
        if parameter.default is inspect.Parameter.empty:
            wanted.append(Parameter(name=parameter.name, annotation=_text(parameter.annotation)))
    return tuple(wanted)


def provides_of(function: Callable[..., Any]) -> str | None:
    """The return annotation."""
    return _text(inspect.signature(function).return_annotation)


def _text(annotation: Any) -> str | None:
    """An annotation as it is written; a class (without `from __future__ import annotations`) as its full name."""
    if annotation is inspect.Parameter.empty or annotation is None:
        return None
    if isinstance(annotation, str):
        return annotation
    if isinstance(annotation, type) and not hasattr(annotation, "__args__"):
        return f"{annotation.__module__}.{annotation.__qualname__}"
    return str(annotation)
