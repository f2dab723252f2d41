"""How a program ended, or why it was stopped."""

from __future__ import annotations

import signal
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

DRAIN_S = 1.0
"""Seconds after a program's end in which its output may still come. Later, what holds the pipe is something that it left running."""
KILL_S = 5.0
"""Seconds a killed program has to disappear. One that the kernel cannot end (it waits for a dead disk) is left alone."""
STDOUT_LIMIT = 16 << 20
STDERR_KEPT = 64 << 10


@dataclass(frozen=True, slots=True, kw_only=True)
class StopTimes:
    """How a program is asked to end: the seconds it has after its standard input was closed (if that was left open), after SIGINT, and
    after SIGTERM, before SIGKILL. What has 0 seconds is left out.
    """

    stdin_s: float = 0.0
    interrupt_s: float = 0.0
    terminate_s: float = 2.0

    def signals(self) -> Iterator[tuple[signal.Signals, float]]:
        """The signals to send, each with the seconds to wait after it."""
        for number, seconds in ((signal.SIGINT, self.interrupt_s), (signal.SIGTERM, self.terminate_s)):
            if seconds > 0:
                yield number, seconds
        yield signal.SIGKILL, KILL_S


@dataclass(frozen=True, slots=True, kw_only=True)
class Completed:
    """A program that ran to its end.

    `code` is its exit code, or 128 + the number of the `signal` that ended it. `stdout` and `stderr` are empty where a callback took them;
    of `stderr` the last bytes are kept.
    """

    program: str
    code: int
    signal: int | None = None
    stdout: bytes = field(default=b"", repr=False)
    stderr: bytes = field(default=b"", repr=False)

    @property
    def text(self) -> str:
        """Its standard output as text."""
        return self.stdout.decode("utf-8", "replace")

    @property
    def complaint(self) -> str:
        """Its standard error as text, without white space around it."""
        return self.stderr.decode("utf-8", "replace").strip()


class ProcessError(Exception):
    """A program was stopped before its end. `stderr` holds the last it wrote there."""

    def __init__(self, message: str, *, stderr: bytes = b"") -> None:
        super().__init__(message)
        self.stderr = stderr


class ProcessTimeout(ProcessError):  # noqa: N818 - says what happened
    """It ran longer than its limit of `timeout_s` seconds."""

    def __init__(self, program: str, timeout_s: float, *, stderr: bytes = b"") -> None:
        super().__init__(f"{program} did not end within {timeout_s:g} s", stderr=stderr)
        self.timeout_s = timeout_s


class OutputTooLarge(ProcessError):  # noqa: N818 - says what happened
    """It wrote more than `limit` bytes to its standard output."""

    def __init__(self, program: str, limit: int, *, stderr: bytes = b"") -> None:
        super().__init__(f"{program} printed more than {limit} bytes", stderr=stderr)
        self.limit = limit


def completed(program: str, returncode: int, stdout: bytes, stderr: bytes) -> Completed:
    """From a return code as Python has it: negative for a signal."""
    ended_by = -returncode if returncode < 0 else None
    return Completed(
        program=program, code=returncode if ended_by is None else 128 + ended_by, signal=ended_by, stdout=stdout, stderr=stderr
    )


class Tail:
    """The last bytes of a stream."""

    def __init__(self, size: int) -> None:
        self._size = size
        self._data = bytearray()

    def add(self, data: bytes) -> None:
        """The next bytes."""
        self._data += data
        if len(self._data) > 2 * self._size:
            del self._data[: -self._size]

    def bytes(self) -> bytes:
        """What is kept."""
        return bytes(self._data[-self._size :]) if self._size else b""
