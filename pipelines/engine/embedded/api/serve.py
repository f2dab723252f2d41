"""The engine's process: serves the API on an inherited socket until it is told to stop."""

from __future__ import annotations

import asyncio
import gc
import signal
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pipelines.engine.embedded.api.schema.sdk import Derived, find_sdk
from pipelines.engine.embedded.api.server import Server
from pipelines.engine.embedded.api.session_api import SessionApi
from pipelines.engine.embedded.paths import cache_dir

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping
    from pathlib import Path
    from socket import socket

    from pipelines.engine.embedded.api.registry import ResolverRegistry
    from pipelines.engine.embedded.api.session_api import Boot


@dataclass(frozen=True, slots=True)
class SessionSettings:
    """What a session is opened with.

    Attributes:
        token: what clients prove themselves by.
        workdir: what relative host paths start from.
        labels: what the client says about itself.
        rootless: in an ordinary user's user namespace.
    """

    token: str
    workdir: Path
    labels: Mapping[str, str]
    rootless: bool = False


def serve(sock: socket, terms: SessionSettings, stop: int) -> int:
    """Serve until the pipe `stop` (a file descriptor) is closed at its other end, or SIGTERM. Returns the exit code.

    Raises:
        Unavailable: no SDK to take the schema from.
    """
    signal.signal(signal.SIGINT, lambda *_: None)  # a terminal's Ctrl-C is the client's: it ends the session in its own time
    gc.disable()  # until the engine is ready: what is imported stays, there is nothing to collect
    derived = Derived(find_sdk(), cache_dir())
    asyncio.run(_serve(sock, terms.token, stop, derived, lambda: boot(terms)))
    return 0


@asynccontextmanager
async def boot(terms: SessionSettings) -> AsyncIterator[tuple[ResolverRegistry, Any]]:
    """The engine proper, with its resolvers."""
    await asyncio.to_thread(_import_all)
    from pipelines.engine.embedded.api.registry import registry
    from pipelines.engine.embedded.ops.session import open_session

    async with open_session(terms.workdir, dict(terms.labels), rootless=terms.rootless) as ctx:
        yield registry, ctx


def _import_all() -> None:
    """In a thread, so that requests are answered meanwhile."""
    import pipelines.engine.embedded.api.fields
    import pipelines.engine.embedded.network.switch
    import pipelines.engine.embedded.ops.session
    import pipelines.engine.embedded.sandbox.runtime
    import pipelines.engine.embedded.store.store  # noqa: F401


async def _serve(sock: socket, token: str, stop: int, derived: Derived, boot: Boot) -> None:
    loop = asyncio.get_running_loop()
    stopped = asyncio.Event()
    engine = SessionApi(derived, boot)
    server = Server(engine.answer, token)
    loop.add_reader(stop, stopped.set)
    loop.add_signal_handler(signal.SIGTERM, stopped.set)
    await server.start(sock)
    await stopped.wait()
    loop.remove_reader(stop)
    await server.close()
    await engine.close()
