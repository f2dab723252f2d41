"""Notices that an engine went away while it was needed: the SDK waits for its answers without any limit."""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING

from pipelines.engine.reach import reach
from pipelines.errors import EngineLost, EngineUnavailable

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping

    from pipelines.engine.lifetime import Lifetime

EVERY_S = 0.5
MISSES = 2
"""So many failures in a row count: one may be a full backlog or a moment without network."""


@contextlib.asynccontextmanager
async def watching(watched: Mapping[str, str], lifetime: Lifetime, *, every_s: float = EVERY_S) -> AsyncIterator[None]:
    """Connect to addresses again and again; one that stops answering ends the lifetime. `watched` names what listens at each address."""
    tasks = [asyncio.create_task(_watch(address, name, lifetime, every_s)) for address, name in watched.items()]
    try:
        yield
    finally:
        lifetime.close()
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks)


async def _watch(address: str, name: str, lifetime: Lifetime, every_s: float) -> None:
    missed = 0
    while True:
        await asyncio.sleep(every_s)
        try:
            await reach(address)
        except EngineUnavailable as error:
            missed += 1
            if missed == MISSES:
                lifetime.lose(EngineLost(f"{name} went away while it was needed", cause=error.cause, next_step="start it, and run again"))
                return
        else:
            missed = 0
