"""The decorator that makes a function a step: `@pipeline.step` in lockgate.py.

    from pipelines import Check, BuiltImage, Verdict, pipeline

    @pipeline.step
    async def smoke(image_shop: BuiltImage) -> Check:
        ...

The function itself stays as it is, so a test can call it. It becomes the step `step.smoke`; other steps take its value by a parameter
`smoke` or `step_smoke`.
"""

from __future__ import annotations

import inspect
import re
from dataclasses import dataclass
from types import FunctionType
from typing import TYPE_CHECKING, Any, TypeVar, overload

from pipelines.errors import GraphError
from pipelines.flow.annotations import parameters_of, provides_of
from pipelines.flow.graph import OWN_KIND
from pipelines.foundation.durations import parse_duration
from pipelines.model import StepLimits
from pipelines.steps.definition import StepDef

if TYPE_CHECKING:
    from collections.abc import Callable

_MARK = "__lockgate_step__"
_NAME = re.compile(r"[a-z0-9]+(?:[_-]+[a-z0-9]+)*", re.IGNORECASE)
Function = TypeVar("Function", bound="Callable[..., Any]")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Mark:
    kind: str
    name: str
    after: tuple[str, ...]
    limits: StepLimits


class Pipeline:
    """Marks functions as steps. It holds no state: the steps of a project are the marked functions its lockgate.py names."""

    @overload
    def step(self, function: Function, /) -> Function: ...

    @overload
    def step(
        self,
        /,
        *,
        kind: str = OWN_KIND,
        name: str | None = None,
        after: tuple[str, ...] = (),
        timeout: float | str | None = None,
        retries: int = 2,
    ) -> Callable[[Function], Function]: ...

    def step(
        self,
        function: Any = None,
        /,
        *,
        kind: str = OWN_KIND,
        name: str | None = None,
        after: tuple[str, ...] = (),
        timeout: float | str | None = None,
        retries: int = 2,
    ) -> Any:
        """Make an `async def` function a step, with or without arguments.

        Args:
            function: the function, when the decorator is used without arguments.
            kind: first half of the id; a kind on the command line selects all its steps.
            name: second half of the id; the function's name by default.
            after: ids that must pass first though their values are not needed.
            timeout: seconds, or a duration such as "10m"; the step then counts as failed.
            retries: how often to try again after a transient error.

        Raises:
            GraphError: the function is not `async def`, or an argument has the wrong form.
        """

        def mark(function: Function) -> Function:
            limits = _limits(function.__name__, timeout, retries)
            _check(function, kind, name or function.__name__)
            setattr(function, _MARK, _Mark(kind=kind, name=name or function.__name__, after=_ids(function, after), limits=limits))
            return function

        return mark if function is None else mark(function)


def definition_of(function: object) -> StepDef | None:
    """The definition of a marked function; None for anything else.

    Raises:
        GraphError: its parameters cannot be met by name.
    """
    if type(function) is not FunctionType:  # nothing else is looked at: a proxy may fail at whatever it is asked
        return None
    mark = vars(function).get(_MARK)
    if not isinstance(mark, _Mark):
        return None
    return StepDef(
        id=f"{mark.kind}.{mark.name}",
        kind=mark.kind,
        name=mark.name,
        parameters=parameters_of(function),
        provides=provides_of(function),
        load=lambda: function,
        limits=mark.limits,
        describe=(inspect.getdoc(function) or "").partition("\n")[0],
        after=mark.after,
        own=True,
    )


def _check(function: Callable[..., Any], kind: str, name: str) -> None:
    if not inspect.iscoroutinefunction(function):
        raise GraphError(f"the step {function.__name__} is not a coroutine", next_step=f"write `async def {function.__name__}(...)`")
    for word in (kind, name):
        if not _NAME.fullmatch(word):
            raise GraphError(f"the step {function.__name__}: {word!r} cannot be a part of an id", next_step="use letters, digits, - and _")


def _limits(name: str, timeout: float | str | None, retries: int) -> StepLimits:
    try:
        timeout_s = None if timeout is None else parse_duration(timeout)
    except ValueError as error:
        raise GraphError(f"the step {name}: timeout: {error}") from error
    if retries < 0:
        raise GraphError(f"the step {name}: retries must be 0 or more")
    return StepLimits(timeout_s=timeout_s, retries=retries)


def _ids(function: Callable[..., Any], after: tuple[str, ...] | str) -> tuple[str, ...]:
    if isinstance(after, str):
        raise GraphError(f'the step {function.__name__}: after is a tuple of ids, such as after=("{after}",)')
    return tuple(after)


pipeline = Pipeline()
