"""What a step function takes and gives, as text. Annotations are compared as they are written, never evaluated: a plan imports nothing."""

from __future__ import annotations

import inspect
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from pipelines.errors import GraphError
from pipelines.steps.definition import Parameter

if TYPE_CHECKING:
    from collections.abc import Callable

_BY_NAME = (inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY)
RENAMED = {"Image": "BuiltImage, or PublishedImage for what publish gives"}
"""Types of the public face that had another name before."""


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


@lru_cache(maxsize=4096)
def tidy(annotation: str) -> str:
    """An annotation without quotes and without `None`: what a step needs is there when it runs."""
    text = annotation.strip().strip("'\"").strip()
    parts = [part.strip() for part in text.split("|")] if "[" not in text else [text]
    return " | ".join(part for part in parts if part != "None")


def last_name(annotation: str) -> str:
    """The class of an annotation without where it is from: `BuiltImage` of `pipelines.BuiltImage`. Annotations of the same type have it in
    common.
    """
    return tidy(annotation).rpartition(".")[2]


def same_type(one: str, other: str) -> bool:
    """Whether two annotations mean the same type: `BuiltImage` is `pipelines.BuiltImage`; `redis.Client` is not `dagger.Client`.

    Where both name a package, the packages must agree, not the modules: classes are imported from where they are re-exported.
    """
    one, other = tidy(one), tidy(other)
    if one.rpartition(".")[2] != other.rpartition(".")[2]:
        return False
    return "." not in one or "." not in other or one.partition(".")[0] == other.partition(".")[0]


def renamed_type(annotation: str | None) -> str | None:
    """What a type of ours is called now, when an annotation says its old name."""
    return None if annotation is None else RENAMED.get(tidy(annotation).removeprefix("pipelines."))


def anything(annotation: str | None) -> bool:
    """Whether an annotation says nothing about the type."""
    return annotation is None or tidy(annotation) in ("", "Any", "object", "typing.Any", "typing.object")
