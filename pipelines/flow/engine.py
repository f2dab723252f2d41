"""The engine of a run: opened beside the first steps, only when one needs it, and closed when all have ended."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

import anyio

from pipelines.errors import Unavailable
from pipelines.flow.late import Late

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Mapping
    from pathlib import Path

    from pipelines.engine.choice import Choice
    from pipelines.flow.parts import Parts
    from pipelines.model import EngineInfo, EngineSpec


class Engine:
    """`client` is what steps wait for; `info` is known once the engine answers."""

    def __init__(self, parts: Parts, ready: Callable[[EngineInfo], None], note: Callable[[str], None]) -> None:
        self.client: Late[object] = Late()
        self.info: EngineInfo | None = None
        self._parts = parts
        self._ready = ready
        self._note = note
        self._over = anyio.Event()

    @contextlib.asynccontextmanager
    async def beside(self, spec: EngineSpec, environ: Mapping[str, str], log: Callable[[str], None], ledger: Path) -> AsyncIterator[None]:
        """Hold an engine open for as long as the context lasts; `log` takes its lines, it may leave `ledger` behind.

        One that cannot be had is an error for whoever asks for the client.

        Raises:
            UsageError: the environment contradicts itself.
        """
        try:
            choice = self._parts.choose(spec, environ)
        except Unavailable as error:
            self.client.fail(error)
            yield
            return
        async with anyio.create_task_group() as group:
            group.start_soon(self._hold, choice, log, ledger)
            try:
                yield
            finally:
                # An engine that never answered is not waited for; one that did is closed in its own order.
                if not self.client.settled:
                    group.cancel_scope.cancel()
                self._over.set()

    async def _hold(self, choice: Choice, log: Callable[[str], None], ledger: Path) -> None:
        try:
            async with self._parts.open_engine(choice, log, ledger) as info:
                self.info = info
                self._ready(info)
                self.client.set(self._parts.client())
                await self._over.wait()
        except Exception as error:  # noqa: BLE001 - whatever keeps the engine away is told to the steps that need it
            if self.client.settled:
                self._note(f"the engine did not close cleanly: {error}")
            else:
                self.client.fail(error)
