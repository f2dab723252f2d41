"""A request to stop a run: how Ctrl-C and SIGTERM reach it."""

from __future__ import annotations

import contextlib
import signal
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable


class Stop:
    """Held by whoever started a run; `request` may be called at any moment, from the event loop's thread.

    The run cancels the steps that work, keeps what did finish, writes its reports and ends with exit code 128 + signal.
    """

    def __init__(self) -> None:
        self.signal: int | None = None
        self._listeners: list[Callable[[int], None]] = []
        self._last: list[Callable[[int], None]] = []

    @property
    def requested(self) -> bool:
        """Whether anybody asked the run to stop."""
        return self.signal is not None

    def request(self, signum: int) -> None:
        """Ask the run to stop because of the signal; the first one counts."""
        if self.signal is not None:
            return
        self.signal = int(signum)
        for listener in tuple(self._listeners):
            listener(self.signal)

    def on_request(self, listener: Callable[[int], None]) -> None:
        """Call the listener with the signal's number when a stop is asked for; at once if it already was."""
        if self.signal is not None:
            listener(self.signal)
        else:
            self._listeners.append(listener)

    def kill(self, signum: int) -> None:
        """The process is about to end at once, because of the signal: who has something to write does it now, on this thread.

        May be called from any thread, while the run is at work on another one.
        """
        for listener in tuple(self._last):
            with contextlib.suppress(Exception):
                listener(signum)

    def on_kill(self, listener: Callable[[int], None]) -> None:
        """Call the listener with the signal's number when the process is about to end at once."""
        self._last.append(listener)


def signal_name(signum: int) -> str:
    """`SIGTERM` for 15; the number where it has no name."""
    try:
        return signal.Signals(signum).name
    except ValueError:
        return f"signal {signum}"
