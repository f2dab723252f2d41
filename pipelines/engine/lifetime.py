"""How long one engine session lives: how patiently it is waited for, and that it was lost.

Shared by whoever holds a session open and whoever works with it. Everything here happens on the event loop's thread.
"""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

import anyio

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pipelines.errors import EngineLost

GRACE_S = 8.0
"""A session that nobody waits for any more (the run was stopped) has this many seconds to close by itself."""


class Lifetime:
    """One session's. `start_s` bounds its opening; None: the default of its kind."""

    def __init__(self, start_s: float | None = None) -> None:
        self.start_s = start_s
        self.error: EngineLost | None = None
        self._lost = anyio.Event()
        self._closing = anyio.Event()
        self._latest = float("inf")
        self._waits: set[anyio.CancelScope] = set()

    @contextlib.contextmanager
    def at_most(self, seconds: float) -> Iterator[anyio.CancelScope]:
        """A scope that is cancelled after so many seconds; sooner after `shorten_waits`."""
        with anyio.CancelScope(deadline=min(anyio.current_time() + seconds, self._latest)) as scope:
            self._waits.add(scope)
            try:
                yield scope
            finally:
                self._waits.discard(scope)

    def shorten_waits(self, grace_s: float = GRACE_S) -> None:
        """Nobody waits for the session any more: what `at_most` bounds ends within the grace."""
        self._latest = min(self._latest, anyio.current_time() + grace_s)
        for scope in self._waits:
            scope.deadline = min(scope.deadline, self._latest)

    def close(self) -> None:
        """The session is being closed: from now on its end is not an error."""
        self._closing.set()

    async def closed(self) -> None:
        """Wait until the session is being closed."""
        await self._closing.wait()

    def lose(self, error: EngineLost) -> None:
        """The session is gone, and its end is not worth waiting for. The first error counts; nothing happens once it is being closed."""
        if self._closing.is_set() or self.error is not None:
            return
        self.error = error
        self.shorten_waits(grace_s=0)
        self._lost.set()

    async def lost(self) -> EngineLost:
        """Wait until the session is lost; the error that says why."""
        await self._lost.wait()
        assert self.error is not None  # noqa: S101 - set before the event is
        return self.error
