"""A program at work, and what the event loop says about it."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import sys
from typing import TYPE_CHECKING, TypeVar, cast

from pipelines.foundation.process.result import DRAIN_S, StopTimes

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

Value = TypeVar("Value")


class ProcessProtocol(asyncio.SubprocessProtocol):
    """Takes what the event loop says about one process. `finished` holds its return code once it and its pipes have ended, or the error of
    a callback.
    """

    def __init__(self, on_stdout: object, on_stderr: object) -> None:
        loop = asyncio.get_running_loop()
        self.exited: asyncio.Future[int] = loop.create_future()
        self.finished: asyncio.Future[int] = loop.create_future()
        self._take = {1: on_stdout, 2: on_stderr}
        self._open = {fd for fd, take in self._take.items() if callable(take)}
        self._transport: asyncio.SubprocessTransport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.SubprocessTransport", transport)

    def pipe_data_received(self, fd: int, data: bytes) -> None:
        try:
            if not self.finished.done():
                cast("Callable[[bytes], None]", self._take[fd])(data)
        except Exception as error:  # noqa: BLE001 - it is the caller's, who gets it from `finished`
            self.finished.set_exception(error)

    def pipe_connection_lost(self, fd: int, exc: Exception | None) -> None:  # noqa: ARG002 - a pipe that broke has ended, too
        self._open.discard(fd)
        self._settle()

    def process_exited(self) -> None:
        # asyncio's own `wait` returns only when the pipes have ended as well, which a background process can delay for ever.
        if self._transport is not None and not self.exited.done():
            self.exited.set_result(self._transport.get_returncode() or 0)
            asyncio.get_running_loop().call_later(DRAIN_S, self._settle, True)
            self._settle()

    def _settle(self, drained: bool = False) -> None:
        if self.exited.done() and (drained or not self._open):
            if not self.finished.done():
                self.finished.set_result(self.exited.result())
            self.close()

    def close(self) -> None:
        """Close what is open of the pipes."""
        transport, self._transport = self._transport, None
        if transport is not None:
            transport.close()


class Process:
    """A program that was started: its number, its standard input, the signals it can be sent, and `finished`, which waits for its end."""

    def __init__(self, transport: asyncio.SubprocessTransport, protocol: ProcessProtocol, *, own_session: bool) -> None:
        self.pid = transport.get_pid()
        self.finished = protocol.finished
        """Its return code, negative for a signal, once it and its output have ended; the error of a callback, if one raised."""
        self._stdin = cast("asyncio.WriteTransport | None", transport.get_pipe_transport(0))
        self._protocol = protocol
        self._own_session = own_session

    @property
    def returncode(self) -> int | None:
        """Its return code, negative for a signal; None while it runs."""
        return self._protocol.exited.result() if self._protocol.exited.done() else None

    async def wait(self) -> int:
        """Its exit code (128 + the number of a signal) when it has ended and its output was taken."""
        code = await asyncio.shield(self.finished)
        return code if code >= 0 else 128 - code

    def write(self, data: bytes) -> None:
        """Write to its standard input; what it does not read is lost."""
        if self._stdin is not None:
            self._stdin.write(data)

    def close_stdin(self) -> None:
        """End its standard input, after what was written."""
        if self._stdin is not None:
            self._stdin.close()

    def send(self, number: int) -> None:
        """Send a signal to it and what it started; to itself only, where it shares our session. Nothing happens when it has ended."""
        if self.returncode is None:
            self._kill(number)

    async def ended_within(self, seconds: float) -> bool:
        """Whether it ends within so many seconds."""
        await asyncio.wait({self._protocol.exited}, timeout=seconds)
        return self._protocol.exited.done()

    async def stop(self, times: StopTimes | None = None) -> None:
        """End it, and what it started. Runs to its end whatever is cancelled meanwhile."""
        await uncancelled(self._stop(times or StopTimes()))

    async def _stop(self, times: StopTimes) -> None:
        self.close_stdin()
        if not await self.ended_within(times.stdin_s):
            await self._insist(times)
        await asyncio.wait({self.finished}, timeout=DRAIN_S)
        self._protocol.close()
        if not self.finished.done():
            self.finished.set_result(self.returncode if self.returncode is not None else -signal.SIGKILL)

    async def _insist(self, times: StopTimes) -> None:
        for number, seconds in times.signals():
            self.send(number)
            if await self.ended_within(seconds):
                break
        if self._own_session:  # what it started and did not end itself; its number cannot be another's yet
            self._kill(signal.SIGKILL)

    def _kill(self, number: int) -> None:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self.pid, number) if self._own_session else os.kill(self.pid, number)


async def uncancelled(work: Coroutine[object, object, Value]) -> Value:
    """The work's result; a cancellation that comes meanwhile is raised when it has ended."""
    task = asyncio.ensure_future(work)
    cancelled: asyncio.CancelledError | None = None
    with _shield():
        while not task.done():
            try:
                await asyncio.wait({task})
            except asyncio.CancelledError as error:
                cancelled = error
    if cancelled is not None:
        raise cancelled
    return task.result()


def _shield() -> contextlib.AbstractContextManager[object]:
    """Keep scopes of anyio's from cancelling again and again; there is none where anyio was not imported."""
    anyio = sys.modules.get("anyio")
    return contextlib.nullcontext() if anyio is None else cast("contextlib.AbstractContextManager[object]", anyio.CancelScope(shield=True))
