"""From calls to states: each call's resolver runs once in a session, however many ask, however deep the chain."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from pipelines.engine.embedded.api.calls import Call
from pipelines.engine.embedded.errors import Cancelled, InvalidInput
from pipelines.foundation.single_flight import SingleFlight, WorkCancelled

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from pipelines.engine.embedded.api.registry import FieldSpec, ResolverRegistry

MISSING: Any = object()


class NullObject(Exception):  # noqa: N818 - not an error: the answer is null
    """A call on the way to a leaf yielded null, so that the leaf cannot be asked.

    Attributes:
        call: the call that yielded null.
    """

    def __init__(self, call: Call) -> None:
        super().__init__(call.field)
        self.call = call


@dataclass(frozen=True, slots=True)
class Pending:
    """What a lazy resolver gets instead of a state: it decides whether and when to evaluate."""

    call: Call
    evaluator: Evaluator

    async def state(self) -> Any:
        """The state of the object, worked out now where it is not known."""
        return await self.evaluator.state(self.call)


@dataclass(slots=True)
class Evaluator:
    """Evaluates the calls of one session.

    Attributes:
        registry: the resolvers.
        ctx: the session, handed to every resolver untouched.
    """

    registry: ResolverRegistry
    ctx: Any
    _states: dict[str, Any] = field(default_factory=dict)
    _under_way: SingleFlight[Any] = field(default_factory=SingleFlight)

    async def state(self, call: Call) -> Any:
        """The state `call` yields. A failure is raised and forgotten: the next who asks tries again.

        Raises:
            NullObject: it, or a call before it, yielded null.
        """
        chain, state = self._unknown(call)
        while chain:
            state = await self._step(chain.pop(), state)
        return state

    async def leaf(self, spec: FieldSpec, parent: Call | None, args: Mapping[str, Any]) -> Any:
        """The value of a leaf. Never remembered: it may have effects (`publish`), and the work behind it is remembered by itself."""
        state = None if spec.lazy or parent is None else await self.state(parent)
        return await self._resolve(spec, parent, state, args)

    async def close(self) -> None:
        """Stop everything under way, and wait until it has stopped."""
        await self._under_way.close()

    def _unknown(self, call: Call) -> tuple[list[Call], Any]:
        """The calls still to be evaluated, the last to be called first, and the state they begin from (None: the root's)."""
        chain: list[Call] = []
        link: Call | None = call
        while link is not None:
            state = self._known(link)
            if state is not MISSING:
                return chain, state
            chain.append(link)
            link = None if self.registry[link.field].lazy else link.parent
        return chain, None

    def _known(self, call: Call) -> Any:
        return call.state if call.state is not None else self._states.get(call.digest, MISSING)

    async def _step(self, call: Call, parent: Any) -> Any:
        """The state of `call`, its parent's being known. What need not wait runs here and now: a task costs more than most resolvers."""
        known = self._known(call)
        if known is not MISSING:
            return known
        spec = self.registry[call.field]
        if spec.is_async or (not spec.lazy and any(self._known(one) is MISSING for one in _objects(call.args))):
            return await self._join(call, spec, parent)
        return self._remember(call, spec.resolve(self.ctx, self._parent(spec, call.parent, parent), self._ready(spec, call.args)))

    async def _join(self, call: Call, spec: FieldSpec, parent: Any) -> Any:
        try:
            return await self._under_way.do(call.digest, lambda: self._work_out(call, spec, parent))
        except WorkCancelled:
            raise Cancelled(f"{call.field} was cancelled") from None

    async def _work_out(self, call: Call, spec: FieldSpec, parent: Any) -> Any:
        return self._remember(call, await self._resolve(spec, call.parent, parent, call.args))

    def _remember(self, call: Call, state: Any) -> Any:
        if state is None:
            raise NullObject(call)
        self._states[call.digest] = state
        return state

    async def _resolve(self, spec: FieldSpec, parent: Call | None, state: Any, args: Mapping[str, Any]) -> Any:
        if not spec.lazy:
            await self._evaluate_objects(args)
        result = spec.resolve(self.ctx, self._parent(spec, parent, state), self._ready(spec, args))
        return await result if spec.is_async else result

    async def _evaluate_objects(self, args: Mapping[str, Any]) -> None:
        """Evaluate the objects among the arguments, all at once; the first failure stops the others."""
        unknown = [one for one in _objects(args) if self._known(one) is MISSING]
        try:
            if len(unknown) == 1:
                await self.state(unknown[0])
            elif unknown:
                await self._all(unknown)
        except NullObject as null:
            raise InvalidInput(f"an argument cannot be null: {null.call.field} gave nothing") from None

    async def _all(self, calls: list[Call]) -> None:
        try:
            async with asyncio.TaskGroup() as group:
                for call in calls:
                    group.create_task(self.state(call))
        except BaseExceptionGroup as failures:
            raise failures.exceptions[0] from None

    def _parent(self, spec: FieldSpec, call: Call | None, state: Any) -> Any:
        return Pending(call, self) if spec.lazy and call is not None else state

    def _ready(self, spec: FieldSpec, args: Mapping[str, Any]) -> dict[str, Any]:
        """The arguments as the resolver wants them. A dict of its own: it may take from it."""
        give: Callable[[Call], Any] = (lambda call: Pending(call, self)) if spec.lazy else self._known
        return {name: _with_objects(value, give) for name, value in args.items()}


def _objects(args: Mapping[str, Any]) -> Iterator[Call]:
    for value in args.values():
        if isinstance(value, Call):
            yield value
        elif isinstance(value, list):
            yield from (one for one in value if isinstance(one, Call))


def _with_objects(value: Any, give: Callable[[Call], Any]) -> Any:
    if isinstance(value, Call):
        return give(value)
    if isinstance(value, list):
        return [give(one) if isinstance(one, Call) else one for one in value]
    return value
