"""A session process: started, greeted, and ended by closing its stdin, as the SDK does it.

The process leads its own process group, so that Ctrl-C in a terminal reaches us alone and the end of a run stays orderly.
"""

from __future__ import annotations

import asyncio
import codecs
import contextlib
import json
import os
import signal
from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from pipelines.engine.choice import SESSION_KIND, SESSION_PORT, SESSION_TOKEN
from pipelines.engine.tagged import read
from pipelines.errors import EngineUnavailable

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Mapping, Sequence

_TAIL = 20
_GREETING = 64 * 1024

_live: set[int] = set()


@dataclass(frozen=True, slots=True)
class Session:
    """An open session: where it listens and the token it asks for."""

    port: int
    token: str = field(repr=False)

    def variables(self, kind: str) -> dict[str, str]:
        """The environment that makes an SDK (and us, further down) use this session."""
        return {SESSION_PORT: str(self.port), SESSION_TOKEN: self.token, SESSION_KIND: kind}


def kill_sessions() -> None:
    """Kill every session process this process started, at once: for the second Ctrl-C. The kernel takes down what they hold."""
    for group in tuple(_live):
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(group, signal.SIGKILL)


@contextlib.asynccontextmanager
async def start_session(
    command: Sequence[str],
    *,
    environ: Mapping[str, str],
    log: Callable[[str], None],
    start_s: float,
    end_s: float,
) -> AsyncIterator[Session]:
    """Open a session with `COMMAND session …` and end it on leaving.

    `log` takes the lines of its stderr. It must greet within `start_s` seconds; at the end it has `end_s` seconds before it is killed.

    Raises:
        EngineUnavailable: it cannot be started, ends at once, or says nothing in time.
    """
    clean = {name: value for name, value in environ.items() if name not in {SESSION_PORT, SESSION_TOKEN, SESSION_KIND}}
    process = await _spawn([*command, "session", *_labels()], clean)
    said: deque[str] = deque(maxlen=_TAIL)
    reader = asyncio.create_task(_forward(process, said, log))
    _live.add(process.pid)
    try:
        yield await _greeting(process, reader, said, start_s)
    finally:
        await _end(process, reader, end_s)
        _live.discard(process.pid)


async def _spawn(command: Sequence[str], environ: Mapping[str, str]) -> asyncio.subprocess.Process:
    pipe = asyncio.subprocess.PIPE
    try:
        return await asyncio.create_subprocess_exec(
            *command, stdin=pipe, stdout=pipe, stderr=pipe, env=environ, start_new_session=True, limit=_GREETING
        )
    except OSError as error:
        raise EngineUnavailable(
            f"the engine session cannot be started: {command[0]}: {error.strerror}", next_step="lockgate doctor"
        ) from None


def _labels() -> list[str]:
    from importlib import metadata

    try:
        version = metadata.version("dagger-io")
    except metadata.PackageNotFoundError:
        version = "n/a"
    return ["--label", "dagger.io/sdk.name:python", "--label", f"dagger.io/sdk.version:{version}"]


async def _forward(process: asyncio.subprocess.Process, said: deque[str], log: Callable[[str], None]) -> None:
    """Hand stderr on, line by line; a line longer than the buffer comes in pieces."""
    assert process.stderr is not None  # noqa: S101 - asked for as a pipe
    rest, decoder = "", codecs.getincrementaldecoder("utf-8")("replace")
    while chunk := await process.stderr.read(_GREETING):
        *lines, rest = (rest + decoder.decode(chunk)).split("\n")
        if len(rest) >= _GREETING:
            lines, rest = [*lines, rest], ""
        for line in lines:
            said.append(line)
            log(line)
    if rest:
        said.append(rest)
        log(rest)


async def _greeting(process: asyncio.subprocess.Process, reader: asyncio.Task[None], said: deque[str], start_s: float) -> Session:
    assert process.stdout is not None  # noqa: S101 - asked for as a pipe
    try:
        line = await asyncio.wait_for(process.stdout.readline(), start_s)
    except TimeoutError:
        raise EngineUnavailable(
            f"the engine session said nothing within {start_s:g} s", cause=_last(said), next_step="lockgate doctor"
        ) from None
    except ValueError:
        line = b"a line longer than any greeting"
    if not line:
        await asyncio.wait([reader], timeout=1)
        raise EngineUnavailable("the engine session ended before it was open", cause=_last(said), next_step="lockgate doctor")
    try:
        greeting = json.loads(line)
        return Session(int(greeting["port"]), str(greeting["session_token"]))
    except (ValueError, KeyError, TypeError):
        text = line.decode(errors="replace").strip()[:200]
        raise EngineUnavailable(
            "the engine session's first line is not a greeting", cause=f"it said: {text}", next_step="check the engine's version"
        ) from None


def _last(said: deque[str]) -> str | None:
    lines = [text for line in said if (text := read(line).text.strip())]
    return "; ".join(lines[-3:]) or None


async def _end(process: asyncio.subprocess.Process, reader: asyncio.Task[None], end_s: float) -> None:
    """Close stdin, wait, then insist. Runs to its end whatever is cancelled meanwhile."""
    import anyio

    with anyio.CancelScope(shield=True):
        if process.stdin is not None:
            process.stdin.close()
        for patience, signum in ((end_s, signal.SIGTERM), (5.0, signal.SIGKILL)):
            if await _ended(process, patience):
                break
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signum)
        await process.wait()
        await asyncio.wait([reader], timeout=1)
        reader.cancel()


async def _ended(process: asyncio.subprocess.Process, patience: float) -> bool:
    try:
        await asyncio.wait_for(process.wait(), patience)
    except TimeoutError:
        return False
    return True
