"""Single flight: one evaluation a key, however many ask; it is cancelled when the last who asked is gone."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

T = TypeVar("T")


@dataclass(slots=True)
class _Flight(Generic[T]):
    task: asyncio.Task[T]
    waiters: int = 0


@dataclass(slots=True)
class SingleFlight(Generic[T]):
    """Joins callers of one key to one task. Results are not kept: that is the caller's business."""

    _flights: dict[str, _Flight[T]] = field(default_factory=dict)

    async def do(self, key: str, work: Callable[[], Coroutine[None, None, T]]) -> T:
        """The result of `work`, run once for all who ask for `key` while it is under way."""
        flight = self._flights.get(key)
        if flight is None:
            flight = _Flight(asyncio.create_task(work()))
            self._flights[key] = flight
            flight.task.add_done_callback(lambda _: self._land(key, flight))
        flight.waiters += 1
        try:
            return await asyncio.shield(flight.task)
        finally:
            flight.waiters -= 1
            if not flight.waiters and not flight.task.done():
                self._land(key, flight)
                flight.task.cancel()
                await asyncio.wait([flight.task])

    def _land(self, key: str, flight: _Flight[T]) -> None:
        if self._flights.get(key) is flight:
            del self._flights[key]
        if flight.task.done() and not flight.task.cancelled():
            flight.task.exception()  # seen: a failure nobody waits for any more is not a warning
