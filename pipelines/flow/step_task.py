"""A step's code in a task of its own, so that code which ignores its cancellation cannot hold up the run for ever."""

from __future__ import annotations

import asyncio
import math
from typing import TYPE_CHECKING

import anyio

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

GRACE_S = 15.0
"""Seconds that a step has to end after its time limit. The run goes on without a step that takes longer."""

_ABANDONED: set[asyncio.Task[None]] = set()  # the event loop itself does not keep tasks alive


class StepTask:
    """One call of a step's function.

    Args:
        function: is called, and what it returns is awaited, in the task.
        give_up_at: moment of the event loop's clock until which the task is waited for when it was cancelled; infinity for ever.

    Attributes:
        abandoned: it was cancelled, did not end in time, and is still at work.
    """

    def __init__(self, function: Callable[[], Awaitable[object]], give_up_at: float = math.inf) -> None:
        self.abandoned = False
        self._function = function
        self._give_up_at = give_up_at
        self._cancelling = anyio.CancelScope()
        self._protecting = anyio.CancelScope()
        self._value: object = None
        self._error: BaseException | None = None

    async def result(self) -> object:
        """What the function returns or raises. When this is cancelled the task is cancelled too, and waited for first."""
        task = asyncio.create_task(self._work())
        try:
            await asyncio.wait({task})
        except asyncio.CancelledError:
            await self._end(task)
            raise
        if self._error is not None:
            raise self._error
        return self._value

    async def _work(self) -> None:
        with self._cancelling, self._protecting:
            try:
                self._value = await self._function()
            except BaseException as error:
                if self._cancelling.cancel_called and isinstance(error, asyncio.CancelledError):
                    raise
                self._error = error  # a task that raises SystemExit would end the event loop

    async def _end(self, task: asyncio.Task[None]) -> None:
        self._cancelling.cancel()
        left_s = None if self._give_up_at == math.inf else max(0.0, self._give_up_at - anyio.current_time())
        with anyio.CancelScope(shield=True):
            await asyncio.wait({task}, timeout=left_s)
        if not task.done():
            self.abandoned = True
            self._protecting.shield = True  # it would be cancelled again and again, which takes all of a processor
            _ABANDONED.add(task)
            task.add_done_callback(_ABANDONED.discard)
