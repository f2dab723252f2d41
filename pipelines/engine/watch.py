"""Notices that an engine went away while it was needed: the SDK waits for its answers without any limit."""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING

from pipelines.engine.lifetime import GRACE_S
from pipelines.engine.reach import reach
from pipelines.errors import EngineLost, EngineUnavailable

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Coroutine, Mapping

    from pipelines.engine.lifetime import Lifetime

EVERY_S = 0.5
MISSES = 2
"""So many failures in a row count: one may be a full backlog or a moment without network."""


@contextlib.asynccontextmanager
async def watching(watched: Mapping[str, str], lifetime: Lifetime, *, every_s: float = EVERY_S) -> AsyncIterator[None]:
    """Connect to addresses again and again; one that stops answering ends the lifetime. `watched` names what listens at each address."""
    async with contextlib.AsyncExitStack() as stack:
        for address, name in watched.items():
            await stack.enter_async_context(_meanwhile(_lose_with(address, name, lifetime, every_s)))
        try:
            yield
        finally:
            lifetime.close()


@contextlib.asynccontextmanager
async def watching_end(address: str, lifetime: Lifetime, *, every_s: float = EVERY_S, grace_s: float = GRACE_S) -> AsyncIterator[None]:
    """While the session is being closed: one whose engine does not answer any more is waited for `grace_s` seconds at most."""

    async def watch() -> None:
        await lifetime.closed()
        await _gone(address, every_s)
        lifetime.shorten_waits(grace_s)

    async with _meanwhile(watch()):
        yield


@contextlib.asynccontextmanager
async def _meanwhile(watch: Coroutine[None, None, None]) -> AsyncIterator[None]:
    task = asyncio.create_task(watch)
    try:
        yield
    finally:
        task.cancel()
        await asyncio.wait([task])


async def _lose_with(address: str, name: str, lifetime: Lifetime, every_s: float) -> None:
    cause = await _gone(address, every_s)
    lifetime.lose(EngineLost(f"{name} went away while it was needed", cause=cause, next_step="start it, and run again"))


async def _gone(address: str, every_s: float) -> str | None:
    """Wait until nothing answers at the address; why."""
    missed = 0
    while True:
        await asyncio.sleep(every_s)
        try:
            await reach(address)
        except EngineUnavailable as error:
            missed += 1
            if missed == MISSES:
                return error.cause
        else:
            missed = 0
