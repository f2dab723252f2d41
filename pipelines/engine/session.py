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
from typing import TYPE_CHECKING, Any

from pipelines.engine.choice import SESSION_KIND, SESSION_PORT, SESSION_TOKEN
from pipelines.engine.engine_lines import parse_line
from pipelines.engine.lifetime import GRACE_S, Lifetime
from pipelines.errors import EngineLost, EngineUnavailable
from pipelines.foundation.process.result import StopTimes
from pipelines.foundation.process.running import OPEN, start

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Mapping, Sequence

    from pipelines.foundation.process.handle import Process

_TAIL = 20
_GREETING = 64 * 1024
INSIST_S = 2.0
"""After SIGTERM a session has this many seconds before SIGKILL."""

_live: set[int] = set()


@dataclass(frozen=True, slots=True)
class SessionAddress:
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
    lifetime: Lifetime | None = None,
) -> AsyncIterator[SessionAddress]:
    """Open a session with `COMMAND session …` and end it on leaving.

    `log` takes the lines of its stderr. It must greet within `start_s` seconds; at the end it has `end_s` seconds before it is killed,
    and only `lifetime`'s grace when the caller is cancelled. A process that ends before that is a lost session.

    Raises:
        EngineUnavailable: it cannot be started, ends at once, or says nothing in time.
    """
    clean = {name: value for name, value in environ.items() if name not in {SESSION_PORT, SESSION_TOKEN, SESSION_KIND}}
    life = lifetime or Lifetime()
    greeting, lines = _Greeting(), _Lines(log)
    process = await _spawn([*command, "session", *_labels()], clean, greeting, lines)
    watcher = asyncio.create_task(_watch(process, lines, life))
    _live.add(process.pid)
    grace_s = 0.0  # one that never opened has nothing to put in order
    try:
        session = await _greeted(process, greeting, lines, start_s)
        grace_s = GRACE_S
        yield session
    except (asyncio.CancelledError, EngineUnavailable):
        life.shorten_waits(grace_s)
        raise
    finally:
        life.close()
        await _end(process, end_s, life)
        watcher.cancel()
        lines.end()
        _live.discard(process.pid)


async def _watch(process: Process, lines: _Lines, life: Lifetime) -> None:
    """Tell at once when the process ends by itself."""
    await asyncio.wait({process.finished})
    lines.end()
    cause = "; ".join(part for part in (_killed(process.returncode), _last(lines.said)) if part)
    life.lose(EngineLost("the engine session ended while it was needed", cause=cause or None, next_step="lockgate doctor"))


def _killed(returncode: int | None) -> str | None:
    """The signal that ended the process, if one did."""
    if returncode is None or returncode >= 0:
        return None
    # The kernel kills what needs too much memory in the same way as a person does.
    hint = ", by a person or because memory was short" if -returncode == signal.SIGKILL else ""
    return f"its process was ended by {signal.Signals(-returncode).name}{hint}"


async def _end(process: Process, end_s: float, life: Lifetime) -> None:
    """Close stdin, wait, then insist. Runs to its end whatever is cancelled meanwhile."""
    import anyio

    process.close_stdin()
    with anyio.CancelScope(shield=True), life.at_most(end_s):
        await process.ended_within(end_s)
    await process.stop(StopTimes(terminate_s=INSIST_S))


async def _spawn(command: Sequence[str], environ: Mapping[str, str], greeting: _Greeting, lines: _Lines) -> Process:
    try:
        return await start(command, env=environ, stdin=OPEN, on_stdout=greeting.take, on_stderr=lines.take)
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


class _Greeting:
    """The first line of a session's standard output; what follows is of no interest."""

    def __init__(self) -> None:
        self.line: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()
        self._data = b""

    def take(self, data: bytes) -> None:
        if self.line.done():
            return
        self._data += data
        line, newline, _ = self._data.partition(b"\n")
        if newline or len(self._data) > _GREETING:
            self.line.set_result(line[:_GREETING])


class _Lines:
    """Hands standard error on, line by line; a line longer than the buffer comes in pieces. The last ones are kept in `said`."""

    def __init__(self, log: Callable[[str], None]) -> None:
        self.said: deque[str] = deque(maxlen=_TAIL)
        self._log = log
        self._rest = ""
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")

    def take(self, data: bytes) -> None:
        *lines, rest = (self._rest + self._decoder.decode(data)).split("\n")
        if len(rest) >= _GREETING:
            lines, rest = [*lines, rest], ""
        self._rest = rest
        for line in lines:
            self._say(line)

    def end(self) -> None:
        """Nothing more will come."""
        rest, self._rest = self._rest, ""
        if rest:
            self._say(rest)

    def _say(self, line: str) -> None:
        self.said.append(line)
        self._log(line)


async def _greeted(process: Process, greeting: _Greeting, lines: _Lines, start_s: float) -> SessionAddress:
    either: set[asyncio.Future[Any]] = {greeting.line, process.finished}
    await asyncio.wait(either, timeout=start_s, return_when=asyncio.FIRST_COMPLETED)
    if greeting.line.done():
        return _session(greeting.line.result())
    if process.finished.done():
        lines.end()
        raise EngineUnavailable("the engine session ended before it was open", cause=_last(lines.said), next_step="lockgate doctor")
    raise EngineUnavailable(
        f"the engine session printed nothing within {start_s:g} s", cause=_last(lines.said), next_step="lockgate doctor"
    )


def _session(line: bytes) -> SessionAddress:
    try:
        greeting = json.loads(line)
        return SessionAddress(int(greeting["port"]), str(greeting["session_token"]))
    except (ValueError, KeyError, TypeError, RecursionError):
        text = line.decode(errors="replace").strip()[:200]
        raise EngineUnavailable(
            "the engine session's first line is not a greeting", cause=f"it printed: {text}", next_step="check the version of the engine"
        ) from None


def _last(said: deque[str]) -> str | None:
    """The last lines that speak of the engine itself: what a step's work and its commands print does not say why a session ended."""
    lines = [line.text.strip() for line in map(parse_line, said) if line.text.strip() and not line.requester and line.printed is None]
    return "; ".join(lines[-3:]) or None
