"""Cache volumes: folders that outlive sessions, named by a key, written by whoever mounts them."""

from __future__ import annotations

import asyncio
import hashlib
import itertools
import os
from contextlib import AsyncExitStack, asynccontextmanager
from enum import StrEnum
from typing import TYPE_CHECKING

from pipelines.engine.embedded.store.disk_full import disk_full_errors
from pipelines.engine.embedded.store.objects.workspace import VOLUMES
from pipelines.engine.embedded.store.trees.copy import copy_tree
from pipelines.engine.embedded.store.trees.copyfile import copy_metadata
from pipelines.engine.embedded.store.trees.removing import remove
from pipelines.engine.embedded.store.trees.root import Root
from pipelines.foundation.clock import unix_time

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from pathlib import Path

    from pipelines.engine.embedded.store.layers.views import SnapshotView
    from pipelines.engine.embedded.store.objects.locks import Locks
    from pipelines.engine.embedded.store.objects.pins import Pins
    from pipelines.engine.embedded.store.objects.workspace import Workspace
    from pipelines.engine.embedded.store.snapshot import Snapshot

_USE = "INSERT INTO objects VALUES (?, 'volume', ?, 0, 1, ?) ON CONFLICT (name) DO UPDATE SET used = excluded.used"

Seed = tuple["Snapshot", str]  # a file system, and the folder of it that a new volume begins with


class Sharing(StrEnum):
    """Who may use a volume at a time: the API's CacheSharingMode.

    SHARED: anybody. PRIVATE: every user at a time gets a folder of its own, made when all are taken. LOCKED: one user, others wait.
    """

    SHARED = "SHARED"
    PRIVATE = "PRIVATE"
    LOCKED = "LOCKED"


class Volumes:
    """The volumes of one store.

    Args:
        workspace: the session's.
        pins: holds volumes in use.
        locks: locks between processes.
        view: shows a snapshot to seed from.

    Attributes:
        used: names of the volumes this session has held.
    """

    def __init__(self, workspace: Workspace, pins: Pins, locks: Locks, view: Callable[[Snapshot], SnapshotView]) -> None:
        self._workspace = workspace
        self._pins = pins
        self._locks = locks
        self._view = view
        self.used: set[str] = set()

    @asynccontextmanager
    async def hold(self, key: str, sharing: Sharing, seed: Seed | None) -> AsyncIterator[Path]:
        """A folder of the volume `key`, as long as the context is open; a new one begins with `seed`."""
        name = volume_name(key)
        self.used.add(name)
        async with AsyncExitStack() as stack:
            if sharing is Sharing.PRIVATE:
                slot = self._free(name, stack)
            else:
                slot = 0
                await stack.enter_async_context(self._locks.hold(f"{name}/{slot}", shared=sharing is Sharing.SHARED, keep=True))
            async with self._locks.hold(f"{name}/{slot}/new"):
                path = await asyncio.to_thread(self._prepare, key, slot, seed)
            yield path

    def _free(self, name: str, stack: AsyncExitStack) -> int:
        """The first folder nobody uses, locked."""
        for slot in itertools.count():
            fd = self._locks.attempt(self._locks.path(f"{name}/{slot}"))
            if fd is not None:
                stack.callback(os.close, fd)
                return slot
        raise AssertionError  # pragma: no cover - counting has no end

    def _prepare(self, key: str, slot: int, seed: Seed | None) -> Path:
        """Name the volume in the index, pinned, before it is there: so nobody sweeps it away."""
        name = volume_name(key)
        path = self._workspace.root / name / str(slot)
        with self._workspace.index.writing() as db:
            db.execute(_USE, (name, key, unix_time()))
            self._pins.add(db, {name: True})
        if not path.exists():
            with disk_full_errors(self._workspace.root):
                self._make(path, seed)
        return path

    def _make(self, path: Path, seed: Seed | None) -> None:
        folder = self._workspace.new_folder()
        try:
            content = folder / "v"
            content.mkdir()
            content.chmod(0o755)
            if seed is not None:
                self._fill_from(content, *seed)
            path.parent.mkdir(exist_ok=True)
            self._workspace.publish(content, self._workspace.relative(path))
        finally:
            remove(folder, self._workspace.tmp)

    def _fill_from(self, content: Path, snapshot: Snapshot, rel: str) -> None:
        with self._view(snapshot) as view:
            root = Root(view.path)
            copy_tree(root, rel, Root(content), "/")
            source = root.locate(rel)
            copy_metadata(str(source), str(content), source.stat())


def volume_name(key: str) -> str:
    """The object name of a volume."""
    return f"{VOLUMES}/{hashlib.sha256(key.encode()).hexdigest()[:32]}"
