"""From a choice to a connected client: afterwards `dagger.dag` works, whatever engine answers."""

from __future__ import annotations

import asyncio
import contextlib
import io
import os
from typing import TYPE_CHECKING, TextIO, cast

from pipelines.engine.choice import RUNNER_HOST, SESSION_PORT, Choice, How
from pipelines.engine.engine_lines import TAGS, WORK_INPUTS
from pipelines.engine.lifetime import Lifetime
from pipelines.engine.reach import can_be_asked, reach
from pipelines.engine.sdk_import import import_sdk, prepare_sdk
from pipelines.engine.watch import watching, watching_end
from pipelines.errors import EngineUnavailable
from pipelines.model import EngineInfo

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Mapping
    from pathlib import Path

    from pipelines.engine.session import SessionAddress

EMBEDDED_START_S = 60.0
EMBEDDED_END_S = 30.0
DAGGER_START_S = 60.0
"""For an engine that runs already."""
PROVISION_START_S = 600.0
"""A dagger program that starts its engine may have to pull its image first."""
DAGGER_END_S = 300.0
"""The SDK's own patience: an engine may export its cache at the end."""


def _quiet(_line: str) -> None:
    """Drop a line."""


@contextlib.asynccontextmanager
async def open_engine(
    choice: Choice, *, log: Callable[[str], None] | None = None, work_inputs: Path | None = None, lifetime: Lifetime | None = None
) -> AsyncIterator[EngineInfo]:
    """Connect the SDK's global client to the chosen engine for as long as the context lasts.

    The session process starts first and `import dagger` runs in a thread meanwhile. `log` takes the engine's lines, on the event loop's
    thread; those of the embedded engine say which step they are about (`pipelines.engine.engine_lines`). It writes `work_inputs` when it
    ends (`pipelines.engine.embedded.ops.work_inputs`). `lifetime` is told when the engine or its session goes away.

    Raises:
        EngineUnavailable: the engine does not start or does not answer.
    """
    life = lifetime or Lifetime()
    async with contextlib.AsyncExitStack() as stack:
        if choice.how is How.SESSION:
            await _check_listening(int(os.environ[SESSION_PORT]))
        prepare_sdk()
        imported = await stack.enter_async_context(_importing_sdk())
        if choice.how is not How.SESSION:
            opening = open_session(choice, environ=_engine_environ(choice, work_inputs), log=log or _quiet, lifetime=life)
            session = await stack.enter_async_context(opening)
            stack.enter_context(_exported(session.variables(choice.kind)))
        await imported
        version = await stack.enter_async_context(_connected(choice, log or _quiet, life))
        await stack.enter_async_context(watching(_watched(choice), life))
        yield EngineInfo(kind=choice.kind, reason=choice.reason, version=version, sdk=_sdk_version())


@contextlib.asynccontextmanager
async def open_session(
    choice: Choice, *, environ: Mapping[str, str], log: Callable[[str], None], lifetime: Lifetime | None = None
) -> AsyncIterator[SessionAddress]:
    """Open a session with the choice's command; where there is none, with a `dagger` program that the SDK downloads.

    Raises:
        EngineUnavailable: it does not start; for the embedded engine with what the machine lacks, where a probe finds it.
    """
    from pipelines.engine.session import start_session

    life = lifetime or Lifetime()
    address = address_of(choice, environ)
    if address is not None:
        await reach(address)
    command = choice.command or await _downloaded()
    async with contextlib.AsyncExitStack() as stack:
        if address is not None:
            await stack.enter_async_context(watching_end(address, life))
        life.start_s, end_s = start_limit(choice, environ, life), EMBEDDED_END_S if choice.kind == "embedded" else DAGGER_END_S
        opening = start_session(command, environ=environ, log=log, start_s=life.start_s, end_s=end_s, lifetime=life)
        try:
            session = await stack.enter_async_context(opening)
        except EngineUnavailable as error:
            raise (_explained(error, environ) if choice.kind == "embedded" else error) from None
        yield session


def address_of(choice: Choice, environ: Mapping[str, str]) -> str | None:
    """Where the engine of a choice is said to listen, if that can be asked."""
    address = environ.get(RUNNER_HOST, "")
    return address if choice.kind == "dagger" and choice.how is not How.SESSION and can_be_asked(address) else None


def _watched(choice: Choice) -> dict[str, str]:
    """The addresses that must go on answering, with what listens there; a session process of our own is watched as a process."""
    if choice.how is How.SESSION:
        port = os.environ[SESSION_PORT]
        return {f"tcp://127.0.0.1:{port}": f"the open session at port {port}"}
    address = address_of(choice, os.environ)
    return {address: f"the engine at {address}"} if address is not None else {}


def start_limit(choice: Choice, environ: Mapping[str, str], lifetime: Lifetime) -> float:
    """How long a session may take to open, in seconds: longer where an engine is started for it."""
    if lifetime.start_s is not None:
        return lifetime.start_s
    if choice.kind == "embedded":
        return EMBEDDED_START_S
    return DAGGER_START_S if address_of(choice, environ) is not None else PROVISION_START_S


async def _downloaded() -> tuple[str, ...]:
    """The `dagger` program of the SDK's own version, from the SDK's cache or from the internet."""
    from pipelines.engine.download import download

    return (await download(),)


def _engine_environ(choice: Choice, work_inputs: Path | None) -> Mapping[str, str]:
    """The environment of the engine's process: for the embedded engine with what its containers may do, and what it reports to us."""
    if choice.kind != "embedded":
        return os.environ
    return {**os.environ, **choice.variables, TAGS: "1", **({WORK_INPUTS: str(work_inputs)} if work_inputs is not None else {})}


def _explained(error: EngineUnavailable, environ: Mapping[str, str]) -> EngineUnavailable:
    from pipelines.engine.probe import missing

    lack = missing(environ)
    if lack is None:
        return error
    return EngineUnavailable(error.message, cause=f"{lack.name}: {lack.detail}", next_step=lack.fix or error.next_step)


@contextlib.contextmanager
def _exported(variables: Mapping[str, str]) -> Iterator[None]:
    """Set variables of this process: the SDK looks for its session there."""
    before = {name: os.environ.get(name) for name in variables}
    os.environ.update(variables)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


async def _check_listening(port: int) -> None:
    """Fail at once where nobody listens: the SDK would try again for a quarter of a minute."""
    import anyio

    try:
        with anyio.fail_after(5):
            stream = await anyio.connect_tcp("127.0.0.1", port)
            await stream.aclose()
    except (OSError, TimeoutError):
        raise EngineUnavailable(
            f"the session at port {port} does not answer",
            cause=f"{SESSION_PORT} is set, but that session has ended",
            next_step=f"unset {SESSION_PORT}, or open a session: lockgate engine run -- COMMAND",
        ) from None


@contextlib.asynccontextmanager
async def _connected(choice: Choice, log: Callable[[str], None], life: Lifetime) -> AsyncIterator[str | None]:
    """Connect the SDK's global client to the session in the environment; the engine's version.

    `dagger.connection` and not `dagger.connect`: the latter remembers the first session of a process for ever.
    """
    import dagger

    connection = dagger.connection(dagger.Config(log_output=cast("TextIO", _Lines(log))))
    async with contextlib.AsyncExitStack() as stack:
        try:
            with life.at_most(start_limit(choice, os.environ, life)) as waited:
                await connection.__aenter__()
                stack.push_async_callback(_closing, connection)
                version = await dagger.dag.version()
        except dagger.DaggerError as error:
            raise _refused(error) from error
        if waited.cancelled_caught:
            raise life.error or _silent(choice)
        yield version


async def _closing(connection: contextlib.AbstractAsyncContextManager[object]) -> None:
    """Close, whatever is cancelled meanwhile."""
    import anyio

    with anyio.CancelScope(shield=True):
        await connection.__aexit__(None, None, None)


def _refused(error: Exception) -> EngineUnavailable:
    return EngineUnavailable("the engine does not answer as the SDK expects", cause=str(error), next_step="lockgate doctor")


def _silent(choice: Choice) -> EngineUnavailable:
    return EngineUnavailable("the engine session is open, but does not answer", cause=choice.reason, next_step="lockgate doctor")


def _sdk_version() -> str | None:
    from importlib import metadata

    try:
        return metadata.version("dagger-io")
    except metadata.PackageNotFoundError:
        return None


@contextlib.asynccontextmanager
async def _importing_sdk() -> AsyncIterator[asyncio.Task[None]]:
    """Import the SDK, half a second of work, in a thread beside the start of the engine."""
    importing = asyncio.create_task(asyncio.to_thread(import_sdk))
    try:
        yield importing
    finally:
        await asyncio.wait([importing])


class _Lines(io.TextIOBase):
    """A text stream that hands on whole lines; the SDK writes to it from a thread."""

    def __init__(self, log: Callable[[str], None]) -> None:
        self._loop = asyncio.get_running_loop()
        self._log = log
        self._rest = ""

    def writable(self) -> bool:
        return True

    def write(self, text: str) -> int:
        *lines, self._rest = (self._rest + text).split("\n")
        for line in lines:
            self._loop.call_soon_threadsafe(self._log, line)
        return len(text)

    def writelines(self, lines: Iterable[str]) -> None:  # type: ignore[override]
        for line in lines:
            self.write(line)
