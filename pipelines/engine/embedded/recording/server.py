"""The recording's server: a thread of its own, so that the code under test may block its loop or run several."""

from __future__ import annotations

import asyncio
import secrets
import socket
import threading
from contextlib import asynccontextmanager, contextmanager
from typing import TYPE_CHECKING, Any

from pipelines.engine.embedded.api.schema.sdk import Derived, find_sdk
from pipelines.engine.embedded.api.server import Server
from pipelines.engine.embedded.api.session_api import SessionApi
from pipelines.engine.embedded.paths import cache_dir
from pipelines.engine.embedded.recording.registry import RecordingRegistry

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

    from pipelines.engine.embedded.recording.record import Recording

PATIENCE = 30.0  # seconds the thread has to begin and to end


@contextmanager
def serving(recording: Recording) -> Iterator[dict[str, str]]:
    """Serve a recording; the value is the environment that leads a dagger-io program to it."""
    derived = Derived(find_sdk(), cache_dir())
    _import_all()
    derived.schema()
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    listener.listen()
    port, token = listener.getsockname()[1], secrets.token_hex(16)
    host = _Host(listener, token, recording, derived)
    thread = threading.Thread(target=host.run, name="recording engine", daemon=True)
    thread.start()
    try:
        if not host.started.wait(PATIENCE):
            raise TimeoutError("the recording engine did not start")
        yield {"DAGGER_SESSION_PORT": str(port), "DAGGER_SESSION_TOKEN": token}
    finally:
        host.end()
        thread.join(PATIENCE)


def _import_all() -> None:
    """What the server's thread needs, in the thread that opens it, as the schema is read there.

    In Python 3.11 `ast.parse` may fail while another thread is in it, and an import while another thread imports the same. Pytest parses
    every module of ours that it has not seen before, and Hypothesis parses tests.
    """
    import pipelines.engine.embedded.api.execution.execute
    import pipelines.engine.embedded.api.fields
    import pipelines.engine.embedded.api.schema.introspection
    import pipelines.engine.embedded.recording.fields  # noqa: F401


class _Host:
    def __init__(self, listener: socket.socket, token: str, recording: Recording, derived: Derived) -> None:
        self.started = threading.Event()
        self._listener = listener
        self._token = token
        self._recording = recording
        self._derived = derived
        self._loop = asyncio.new_event_loop()
        self._ended = asyncio.Event()

    def run(self) -> None:
        try:
            self._loop.run_until_complete(self._serve())
        finally:
            self._loop.close()

    def end(self) -> None:
        if not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._ended.set)

    async def _serve(self) -> None:
        engine = SessionApi(self._derived, self._boot)
        server = Server(engine.answer, self._token)
        await server.start(self._listener)
        self.started.set()
        await self._ended.wait()
        await server.close()
        await engine.close()
        await asyncio.sleep(0)  # dropped connections are closed by the loop's next turn
        await self._loop.shutdown_default_executor()

    @asynccontextmanager
    async def _boot(self) -> AsyncIterator[tuple[Any, Any]]:
        yield RecordingRegistry(self._recording), self._recording
