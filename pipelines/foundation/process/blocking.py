"""Programs run from a thread, or where no event loop is."""

from __future__ import annotations

import contextlib
import os
import selectors
import signal
import subprocess
import time
from typing import IO, TYPE_CHECKING, cast

from pipelines.foundation.process.result import (
    DRAIN_S,
    STDERR_KEPT,
    STDOUT_LIMIT,
    Completed,
    OutputTooLarge,
    ProcessTimeout,
    StopTimes,
    Tail,
    completed,
)

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

_CHUNK = 1 << 16
_LOOK_S = 0.1
"""Seconds between looks whether a program has ended whose pipes stay open."""


def run_blocking(
    argv: Sequence[str],
    *,
    env: Mapping[str, str] | None = None,
    cwd: Path | None = None,
    stdin: bytes = b"",
    timeout_s: float | None = None,
    stop: StopTimes | None = None,
    stdout_limit: int = STDOUT_LIMIT,
    stderr_kept: int = STDERR_KEPT,
    own_session: bool = True,
) -> Completed:
    """Run a program to its end, as `pipelines.foundation.process.run` does, and block this thread meanwhile.

    Raises:
        OSError: it cannot be started (FileNotFoundError: it is not installed).
        ProcessTimeout: it ran into `timeout_s`.
        OutputTooLarge: it printed more than `stdout_limit` bytes.
    """
    process = subprocess.Popen(
        argv,
        env=env,
        cwd=cwd,
        stdin=subprocess.PIPE if stdin else subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=own_session,
        bufsize=0,
    )
    talk = _Talk(process, stdin, stdout_limit, stderr_kept)
    try:
        talk.to_the_end(argv[0], timeout_s)
    except BaseException:
        _stop(process, stop or StopTimes(), own_session=own_session)
        raise
    finally:
        talk.close()
    return completed(argv[0], process.wait(), bytes(talk.out), talk.err.bytes())


class _Talk:
    """Feeds a process and takes what it prints."""

    def __init__(self, process: subprocess.Popen[bytes], stdin: bytes, stdout_limit: int, stderr_kept: int) -> None:
        self.out, self.err = bytearray(), Tail(stderr_kept)
        self._process = process
        self._limit = stdout_limit
        self._rest = memoryview(stdin)
        self._selector = selectors.DefaultSelector()
        for pipe, event in (
            (process.stdin, selectors.EVENT_WRITE),
            (process.stdout, selectors.EVENT_READ),
            (process.stderr, selectors.EVENT_READ),
        ):
            if pipe is not None:
                os.set_blocking(pipe.fileno(), False)
                self._selector.register(pipe, event)

    def to_the_end(self, program: str, timeout_s: float | None) -> None:
        """Until the process has ended and its output was taken."""
        deadline = None if timeout_s is None else time.monotonic() + timeout_s
        drained_at: float | None = None
        while self._selector.get_map():
            now = time.monotonic()
            if deadline is not None and now >= deadline:
                raise ProcessTimeout(program, timeout_s or 0.0, stderr=self.err.bytes())
            if drained_at is None and self._process.poll() is not None:
                drained_at = now + DRAIN_S
            if drained_at is not None and now >= drained_at:
                return
            self._step(program, min(_LOOK_S, _LOOK_S if deadline is None else deadline - now))
        try:
            self._process.wait(None if deadline is None else max(0.0, deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            raise ProcessTimeout(program, timeout_s or 0.0, stderr=self.err.bytes()) from None

    def close(self) -> None:
        """Close the pipes."""
        self._selector.close()
        for pipe in (self._process.stdin, self._process.stdout, self._process.stderr):
            if pipe is not None:
                pipe.close()

    def _step(self, program: str, timeout_s: float) -> None:
        for key, _ in self._selector.select(timeout_s):
            pipe = cast("IO[bytes]", key.fileobj)
            if pipe is self._process.stdin:
                self._feed(pipe)
                continue
            data = os.read(key.fd, _CHUNK)
            if not data:
                self._end(pipe)
            elif pipe is self._process.stderr:
                self.err.add(data)
            else:
                self.out += data
                if len(self.out) > self._limit:
                    raise OutputTooLarge(program, self._limit, stderr=self.err.bytes())

    def _feed(self, pipe: IO[bytes]) -> None:
        try:
            self._rest = self._rest[os.write(pipe.fileno(), self._rest[:_CHUNK]) :]
        except BrokenPipeError:  # it does not want to read it
            self._rest = self._rest[:0]
        if not self._rest:
            self._end(pipe)

    def _end(self, pipe: IO[bytes]) -> None:
        self._selector.unregister(pipe)
        pipe.close()


def _stop(process: subprocess.Popen[bytes], times: StopTimes, *, own_session: bool) -> None:
    def kill(number: int) -> None:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, number) if own_session else process.send_signal(number)

    for number, seconds in times.signals():
        kill(number)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(seconds)
            break
    if own_session:
        kill(signal.SIGKILL)
