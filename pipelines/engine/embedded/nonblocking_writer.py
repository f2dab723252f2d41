"""Text for people, written when they can take it: whoever has something to say never waits for a reader."""

from __future__ import annotations

import asyncio
import contextlib
import os
import select
import threading
from collections import deque

MOST = 16 << 20  # bytes that wait for a slow reader; what comes beyond that is left out
AT_ONCE = select.PIPE_BUF  # bytes that a pipe takes without blocking when it is ready for any
PATIENCE_S = 2.0  # for a reader to take the rest when all is said


class NonBlockingWriter:
    """Writes text to a file descriptor (a pipe, a terminal, a file). `write` neither blocks nor raises, and may be called from any thread.

    What comes without a `flush` is written together, soon. A reader that falls behind by more than `most` bytes misses whole writes, and
    is told how many; one that hung up misses everything.
    """

    def __init__(self, fd: int, *, most: int = MOST, patience_s: float = PATIENCE_S) -> None:
        self._fd = fd
        self._most = most
        self._patience_s = patience_s
        self._loop = asyncio.get_running_loop()
        self._thread = threading.get_ident()
        self._said: deque[str] = deque()
        self._waiting: deque[memoryview] = deque()
        self._size = 0
        self._missed = 0
        self._due = False
        self._over = False
        self._empty = asyncio.Event()
        self._poll = select.poll()
        self._poll.register(fd, select.POLLOUT)

    def write(self, text: str, /) -> object:
        """Take text, to be written soon; the number of its characters."""
        if not self._over:
            self._said.append(text)
            if not self._due:
                self._due = True
                with contextlib.suppress(RuntimeError):  # the loop has ended
                    self._loop.call_soon_threadsafe(self._drain)
        return len(text)

    def flush(self) -> None:
        """Write now what the reader can take now; from another thread than the loop's, soon."""
        if self._said and threading.get_ident() == self._thread:
            self._drain()

    async def finish(self) -> None:
        """Wait until everything is written, but not long; what is said later is lost."""
        self._over = True
        self._drain()
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._empty.wait(), self._patience_s)
        self._give_up()

    def _drain(self) -> None:
        self._due = False
        try:
            while self._some_wait() and self._poll.poll(0):
                self._write_some()
        except OSError:  # nobody will ever read it
            self._over = True
            self._give_up()
        if self._waiting:
            self._loop.add_writer(self._fd, self._drain)
        else:
            self._loop.remove_writer(self._fd)
            self._empty.set()

    def _some_wait(self) -> bool:
        if self._said or (self._missed and self._size <= self._most):
            self._take()
        return bool(self._waiting)

    def _take(self) -> None:
        """Make bytes of what was said."""
        texts: list[str] = []
        while self._said:
            texts.append(self._said.popleft())
        if self._size > self._most:
            self._missed += len(texts)
            return
        if self._missed:
            texts.insert(0, f"note: {self._missed} lines are missing here: they were printed faster than they were read\n")
            self._missed = 0
        self._add("".join(texts))

    def _add(self, text: str) -> None:
        self._empty.clear()
        if data := text.encode(errors="backslashreplace"):
            self._waiting.append(memoryview(data))
            self._size += len(data)

    def _write_some(self) -> None:
        first = self._waiting[0]
        written = os.write(self._fd, first[:AT_ONCE])
        self._size -= written
        if written == len(first):
            self._waiting.popleft()
        else:
            self._waiting[0] = first[written:]

    def _give_up(self) -> None:
        self._waiting.clear()
        self._size = 0
        self._empty.set()
        self._loop.remove_writer(self._fd)
