"""A session, its store and its services as far as an execution sees them."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from pipelines.engine.embedded.ops.interface import BoundServices
from pipelines.engine.embedded.store.snapshot import SCRATCH, Snapshot

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from contextlib import AsyncExitStack
    from pathlib import Path

    from pipelines.engine.embedded.ops.values.states import CacheState, SecretState


@dataclass
class Draft:
    folder: Path
    open: bool = True

    def mount(self) -> Path:
        self.folder.mkdir(parents=True)
        return self.folder

    def commit(self, id: str) -> Snapshot:  # noqa: A002 - as the store's
        self.open = False
        return Snapshot(id, ("layer",))

    def discard(self) -> None:
        self.open = False


@dataclass
class Store:
    root: Path
    drafts: list[Draft] = field(default_factory=list)
    outputs: list[Path] = field(default_factory=list)
    before_draft: Callable[[], object] = lambda: None

    def draft(self, _: Snapshot, *, for_container: bool = False) -> Draft:
        self.before_draft()
        self.drafts.append(Draft(self.root / f"draft-{len(self.drafts)}"))
        return self.drafts[-1]

    def new_output(self) -> Path:
        path = self.root / f"output-{len(self.outputs)}"
        path.touch()
        self.outputs.append(path)
        return path


class Services:
    """Counts what is bound."""

    def __init__(self) -> None:
        self.bound = 0

    async def bind(self, _: Any, stack: AsyncExitStack) -> BoundServices:
        self.bound += 1
        stack.callback(self._release)
        return BoundServices({}, {})

    def _release(self) -> None:
        self.bound -= 1


@dataclass
class Session:
    store: Store
    services: Services = field(default_factory=Services)
    leases: int = 0
    volumes: list[str] = field(default_factory=list)
    locks: dict[str, asyncio.Lock] = field(default_factory=lambda: defaultdict(asyncio.Lock))
    secret: Callable[[], bytes] = lambda: b"secret"

    @asynccontextmanager
    async def leased(self) -> AsyncIterator[str]:
        self.leases += 1
        try:
            yield "lease"
        finally:
            self.leases -= 1

    @asynccontextmanager
    async def volume(self, cache: CacheState, _: tuple[Snapshot, str] | None) -> AsyncIterator[Path]:
        """As the store's: LOCKED waits for the one who has it. Every step lets others go on."""
        if cache.sharing == "LOCKED":
            await self.locks[cache.key].acquire()
        self.volumes.append(cache.key)
        await asyncio.sleep(0)
        try:
            path = self.store.root / "volumes" / cache.key
            path.mkdir(parents=True, exist_ok=True)
            yield path
        finally:
            self.volumes.remove(cache.key)
            if cache.sharing == "LOCKED":
                self.locks[cache.key].release()

    async def secret_value(self, _: SecretState) -> bytes:
        return self.secret()

    def released(self) -> bool:
        """Whether nothing is held any more."""
        files = any(path.exists() for path in self.store.outputs)
        return not (files or self.leases or self.volumes or self.services.bound or any(draft.open for draft in self.store.drafts))


ROOT = SCRATCH
