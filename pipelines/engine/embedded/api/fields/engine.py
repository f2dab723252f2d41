"""Engine: this engine's store, as the API sees a cache."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from pipelines.engine.embedded.api.registry import field

if TYPE_CHECKING:
    from pipelines.engine.embedded.ops.interface import ClientSession
    from pipelines.engine.embedded.store.space.collect import Usage

Args = dict[str, Any]
NAME = "lockgate"


@field("Query.engine")
def engine(_: ClientSession, __: None, ___: Args) -> str:
    return NAME


@field("Engine.name")
def name(_: ClientSession, state: str, __: Args) -> str:
    return state


@field("Engine.localCache")
def local_cache(_: ClientSession, __: str, ___: Args) -> str:
    return "cache"


@field("EngineCache.entrySet", fresh=lambda _: True)
async def entry_set(session: ClientSession, _: str, __: Args) -> Usage:
    """What the store holds now: asked again, it is counted again."""
    return await asyncio.to_thread(session.store.usage)


@field("EngineCacheEntrySet.entryCount")
def entry_count(_: ClientSession, state: Usage, __: Args) -> int:
    return state.results


@field("EngineCacheEntrySet.diskSpaceBytes")
def disk_space(_: ClientSession, state: Usage, __: Args) -> int:
    return state.total


@field("EngineCache.maxUsedSpace")
@field("EngineCache.targetSpace")
def budget(session: ClientSession, _: str, __: Args) -> int:
    """The store's budget; 0 when it has none."""
    return session.store.budget or 0


@field("EngineCache.minFreeSpace")
@field("EngineCache.reservedSpace")
def nothing(_: ClientSession, __: str, ___: Args) -> int:
    """Always 0: the store does not have this limit."""
    return 0


@field("EngineCache.prune", args=("useDefaultPolicy",))
async def prune(session: ClientSession, _: str, args: Args) -> None:
    """Removes what no live session uses; by the default policy, only what is beyond the budget."""
    await asyncio.to_thread(session.store.gc if args["useDefaultPolicy"] else session.store.prune)
