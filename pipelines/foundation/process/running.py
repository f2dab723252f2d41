"""Programs run from the event loop."""

from __future__ import annotations

import asyncio
import contextlib
from enum import Enum
from typing import TYPE_CHECKING, Final, Literal

from pipelines.foundation.process.handle import Process, ProcessProtocol, uncancelled
from pipelines.foundation.process.result import (
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
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path


class _Stream(Enum):
    INHERIT = "the caller's own stream"
    OPEN = "a pipe that stays open until the caller closes it"


INHERIT: Final = _Stream.INHERIT
OPEN: Final = _Stream.OPEN
Inherit = Literal[_Stream.INHERIT]
Open = Literal[_Stream.OPEN]


async def run(
    argv: Sequence[str],
    *,
    env: Mapping[str, str] | None = None,
    cwd: Path | None = None,
    stdin: bytes = b"",
    timeout_s: float | None = None,
    stop: StopTimes | None = None,
    stdout_limit: int = STDOUT_LIMIT,
    stderr_kept: int = STDERR_KEPT,
    on_stdout: Callable[[bytes], None] | None = None,
    on_stderr: Callable[[bytes], None] | None = None,
    own_session: bool = True,
) -> Completed:
    """Run a program to its end, whatever its exit code. When the caller is cancelled, the program and what it started are ended first.

    Args:
        argv: the program, looked for on our PATH, and its arguments.
        env: its environment; None for ours.
        cwd: its working directory; None for ours.
        stdin: what it reads.
        timeout_s: seconds until it is stopped.
        stop: how it is asked to end.
        stdout_limit: bytes of standard output that are kept; a program that prints more is stopped.
        stderr_kept: bytes of standard error that are kept, the last ones.
        on_stdout: takes standard output as it comes, instead of the result; no limit holds then.
        on_stderr: takes standard error as it comes, instead of the result. An error that a callback raises stops the program.
        own_session: whether it leads a session of its own. Without one, only itself is signalled, not what it started.

    Raises:
        OSError: it cannot be started (FileNotFoundError: it is not installed).
        ProcessTimeout: it ran into `timeout_s`.
        OutputTooLarge: it printed more than `stdout_limit` bytes.
    """
    out, err = bytearray(), Tail(stderr_kept)

    def keep(data: bytes) -> None:
        out.extend(data)
        if len(out) > stdout_limit:
            raise OutputTooLarge(argv[0], stdout_limit, stderr=err.bytes())

    process = await start(
        argv, env=env, cwd=cwd, stdin=stdin, on_stdout=on_stdout or keep, on_stderr=on_stderr or err.add, own_session=own_session
    )
    try:
        done, _ = await asyncio.wait({process.finished}, timeout=timeout_s)
    except BaseException:
        await process.stop(stop)
        raise
    if not done:
        await process.stop(stop)
        raise ProcessTimeout(argv[0], timeout_s or 0.0, stderr=err.bytes())
    if process.returncode is None:
        await process.stop(stop)
    return completed(argv[0], process.finished.result(), bytes(out), err.bytes())


async def start(
    argv: Sequence[str],
    *,
    env: Mapping[str, str] | None = None,
    cwd: Path | None = None,
    stdin: bytes | Inherit | Open = b"",
    on_stdout: Callable[[bytes], None] | Inherit | None = None,
    on_stderr: Callable[[bytes], None] | Inherit | None = None,
    own_session: bool = True,
    inherited: Sequence[int] = (),
) -> Process:
    """Start a program; the caller waits for it and stops it. Output without a callback is thrown away. For the arguments see `run`.

    `inherited` are descriptors of ours that it has too, under the same numbers.

    Raises:
        OSError: it cannot be started.
    """
    starting = asyncio.ensure_future(
        asyncio.get_running_loop().subprocess_exec(
            lambda: ProcessProtocol(on_stdout, on_stderr),
            *argv,
            env=env,
            cwd=cwd,
            stdin=_stdin(stdin),
            stdout=_output(on_stdout),
            stderr=_output(on_stderr),
            start_new_session=own_session,
            pass_fds=inherited,
        )
    )
    try:
        await asyncio.shield(starting)
    except asyncio.CancelledError:  # a process half started could not be ended
        with contextlib.suppress(OSError):
            await uncancelled(_abandon(starting, own_session=own_session))
        raise
    transport, protocol = starting.result()
    process = Process(transport, protocol, own_session=own_session)
    if isinstance(stdin, bytes) and stdin:
        process.write(stdin)
        process.close_stdin()
    return process


async def _abandon(starting: asyncio.Future[tuple[asyncio.SubprocessTransport, ProcessProtocol]], *, own_session: bool) -> None:
    transport, protocol = await starting
    await Process(transport, protocol, own_session=own_session).stop()


def _stdin(stdin: bytes | Inherit | Open) -> int | None:
    if stdin is INHERIT:
        return None
    return asyncio.subprocess.PIPE if stdin else asyncio.subprocess.DEVNULL


def _output(take: object) -> int | None:
    if take is INHERIT:
        return None
    return asyncio.subprocess.DEVNULL if take is None else asyncio.subprocess.PIPE
