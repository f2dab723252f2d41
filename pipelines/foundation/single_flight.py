"""Single flight: work that several callers want at once is done once. One rule says whose cancellation ends it."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Hashable

T = TypeVar("T")


class WorkCancelled(Exception):  # noqa: N818 - says what happened
    """The work was cancelled, though there were callers who waited for it: it was closed, or it cancelled itself."""


@dataclass(slots=True)
class _Flight(Generic[T]):
    task: asyncio.Task[T]
    callers: int = 0


@dataclass(slots=True)
class SingleFlight(Generic[T]):
    """Joins the callers of one key to one task. Results are not kept: who asks when the work is over starts it anew.

    The rule of cancellation: a caller that is cancelled leaves alone as long as another one waits. The last one ends the work: it cancels
    it, once, and its own cancellation goes through when the work is over, so that nothing is left at work behind its back. Who asks
    while cancelled work is still ending starts it anew, beside it.

    To be used from one event loop (asyncio).
    """

    _flights: dict[Hashable, _Flight[T]] = field(default_factory=dict)
    _tasks: set[asyncio.Task[T]] = field(default_factory=set)

    async def do(self, key: Hashable, work: Callable[[], Coroutine[Any, Any, T]]) -> T:
        """The result of `work()`, called once for all who ask for `key` while it is under way.

        It runs in a task of its own, in the context (context variables) of the first caller.

        Raises:
            Exception: what the work raised; every caller gets it.
            WorkCancelled: the work was cancelled, and not because its callers left.
        """
        flight = self._flights.get(key) or self._start(key, work)
        flight.callers += 1
        try:
            await asyncio.wait((flight.task,))
        except asyncio.CancelledError:
            if flight.callers == 1 and not flight.task.done():
                self._forget(key, flight)
                flight.task.cancel()
                await _over(flight.task)
            raise
        finally:
            flight.callers -= 1
        if flight.task.cancelled():
            raise WorkCancelled(f"{key} was cancelled")
        return flight.task.result()

    async def close(self) -> None:
        """Cancel all work under way, and wait until it is over. Its callers get `WorkCancelled`."""
        tasks = tuple(self._tasks)
        for task in tasks:
            task.cancel()
        for task in tasks:
            await _over(task)

    def _start(self, key: Hashable, work: Callable[[], Coroutine[Any, Any, T]]) -> _Flight[T]:
        flight = self._flights[key] = _Flight(asyncio.create_task(work()))
        self._tasks.add(flight.task)
        flight.task.add_done_callback(lambda task: self._ended(key, flight, task))
        return flight

    def _ended(self, key: Hashable, flight: _Flight[T], task: asyncio.Task[T]) -> None:
        self._tasks.discard(task)
        self._forget(key, flight)
        if not task.cancelled():
            task.exception()  # seen: no caller waits for it any more, so it is not a warning

    def _forget(self, key: Hashable, flight: _Flight[T]) -> None:
        if self._flights.get(key) is flight:
            del self._flights[key]


async def _over(task: asyncio.Task[Any]) -> None:
    """Wait until a cancelled task is over; another cancellation of the caller does not cut this short, nor is it lost on the caller."""
    again: asyncio.CancelledError | None = None
    while not task.done():
        try:
            await asyncio.wait((task,))
        except asyncio.CancelledError as error:
            again = error
    if again is not None:
        raise again
