"""Notices that an engine went away while it was needed: the SDK waits for its answers without any limit."""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING

from pipelines.engine.reach import reach
from pipelines.errors import EngineUnavailable

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterable

    from pipelines.engine.lifetime import Lifetime

EVERY_S = 1.0
MISSES = 2
"""So many failures in a row count: one may be a full backlog or a moment without network."""


@contextlib.asynccontextmanager
async def watching(addresses: Iterable[str], lifetime: Lifetime, *, every_s: float = EVERY_S) -> AsyncIterator[None]:
    """Connect to each address again and again; one that stops answering ends the lifetime."""
    tasks = [asyncio.create_task(_watch(address, lifetime, every_s)) for address in addresses]
    try:
        yield
    finally:
        lifetime.close()
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks)


async def _watch(address: str, lifetime: Lifetime, every_s: float) -> None:
    missed = 0
    while True:
        await asyncio.sleep(every_s)
        try:
            await reach(address)
        except EngineUnavailable as error:
            missed += 1
            if missed == MISSES:
                lifetime.lose(_gone(address, error))
                return
        else:
            missed = 0


def _gone(address: str, error: EngineUnavailable) -> EngineUnavailable:
    return EngineUnavailable(
        f"the engine at {address} went away while it was needed", cause=error.cause, next_step="start it, and run again"
    )
