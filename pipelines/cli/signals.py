"""Ctrl-C and SIGTERM during a run: the first asks it to stop; the second, or a stop that takes too long, ends this process and all it
started at once.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import socket
import threading
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import FrameType

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


@contextlib.contextmanager
def stopping(
    first: Callable[[int], None], second: Callable[[int], None], *, overdue: Callable[[], None], patience_s: float
) -> Iterator[None]:
    """Call `first` with the signal's number on the running event loop, `second` in the handler itself; after that exit with 128 + signal.

    A Python-level handler runs between two bytecodes of the main thread, so the second signal works although the loop is busy.
    Where the context still lasts `patience_s` seconds after the first signal (a step of the project may ignore that it is cancelled),
    `overdue` and `second` are called on another thread, and the process exits as after a second signal.
    """
    loop = asyncio.get_running_loop()
    seen: list[int] = []

    def end() -> None:
        with contextlib.suppress(Exception):
            second(seen[0])
        os._exit(128 + seen[0])

    def kill_overdue() -> None:
        with contextlib.suppress(Exception):
            overdue()
        end()

    limit = threading.Timer(patience_s, kill_overdue)
    limit.daemon = True

    def handle(signum: int, _frame: FrameType | None) -> None:
        seen.append(signum)
        if len(seen) == 1:
            limit.start()
            loop.call_soon_threadsafe(first, signum)
            return
        end()

    # What was ignored from outside (nohup, a background job) stays ignored.
    with _waking(loop):
        before = {signum: signal.signal(signum, handle) for signum in SIGNALS if signal.getsignal(signum) is not signal.SIG_IGN}
        try:
            yield
        finally:
            limit.cancel()
            for signum, handler in before.items():
                signal.signal(signum, handler)


@contextlib.contextmanager
def _waking(loop: asyncio.AbstractEventLoop) -> Iterator[None]:
    """Have every signal wake the loop: one that comes after its last look at signals, and before it sleeps, would be handled only with the
    next event (https://docs.python.org/3/library/signal.html#signal.set_wakeup_fd).
    """
    reader, writer = socket.socketpair()
    with reader, writer:
        reader.setblocking(False)
        writer.setblocking(False)
        loop.add_reader(reader, reader.recv, 512)
        before = signal.set_wakeup_fd(writer.fileno(), warn_on_full_buffer=False)
        try:
            yield
        finally:
            signal.set_wakeup_fd(before)
            loop.remove_reader(reader)
