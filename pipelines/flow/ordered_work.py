"""Small pieces of work at once, large ones in a thread, all in the order in which they were asked for."""

from __future__ import annotations

import asyncio
from collections import deque
from functools import partial
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable


class OrderedWork:
    """A queue of calls. As long as nothing large is under way, a small call is made at once.

    To be used from one thread. Where that runs no event loop, large work is done at once as well.
    """

    def __init__(self) -> None:
        self._waiting: deque[Callable[[], None]] = deque()
        self._large: asyncio.Future[Any] | None = None
        self._error: Exception | None = None

    def small(self, call: Callable[[], None]) -> None:
        """Make a call that takes no time to speak of, when everything before it is done."""
        self._next(call)

    def large(self, work: Callable[[], Any], then: Callable[[Any], None]) -> None:
        """Do what takes long in a thread, and then call `then` with its result on the event loop."""
        self._next(partial(self._start, work, then))

    async def done(self) -> None:
        """Wait until all that was asked for is done.

        Raises:
            Exception: the first that large work, or what waited for it, has raised.
        """
        while self._large is not None:
            await asyncio.wait((self._large,))
        if self._error is not None:
            error, self._error = self._error, None
            raise error

    def _next(self, call: Callable[[], None]) -> None:
        if self._large is None:
            call()
        else:
            self._waiting.append(call)

    def _start(self, work: Callable[[], Any], then: Callable[[Any], None]) -> None:
        try:
            loop = asyncio.get_running_loop()
        except RuntimeError:
            then(work())
            return
        self._large = loop.run_in_executor(None, work)
        self._large.add_done_callback(partial(self._ended, then))

    def _ended(self, then: Callable[[Any], None], large: asyncio.Future[Any]) -> None:
        self._large = None
        self._waiting.appendleft(lambda: then(large.result()))
        while self._waiting and self._large is None:
            try:
                self._waiting.popleft()()
            except Exception as error:  # noqa: BLE001 - raised by `done`; what comes after it is done all the same
                self._error = self._error or error
