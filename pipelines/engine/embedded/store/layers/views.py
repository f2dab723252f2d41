"""Snapshots as readable folders. Mounts are shared, and kept for a while after their last use."""

from __future__ import annotations

import threading
from collections import OrderedDict
from typing import TYPE_CHECKING

from pipelines.engine.embedded import kernel
from pipelines.engine.embedded.store.objects.workspace import LAYERS

if TYPE_CHECKING:
    from pathlib import Path
    from types import TracebackType
    from typing import Self

    from pipelines.engine.embedded.store.objects.pins import Pins
    from pipelines.engine.embedded.store.objects.workspace import Workspace

_IDLE = 32  # mounts kept that nobody uses: mounting again costs 0.3 ms


class SnapshotView:
    """A snapshot to read, valid until closed; never write below `path`. A context manager."""

    def __init__(self, views: SnapshotViews, layers: tuple[str, ...], path: Path) -> None:
        self.path = path
        self._views = views
        self._layers = layers
        self._open = True

    def close(self) -> None:
        """Say that nobody reads any more. Twice is fine."""
        if self._open:
            self._open = False
            self._views.release(self._layers)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()


class SnapshotViews:
    """All views of one session."""

    def __init__(self, workspace: Workspace, pins: Pins) -> None:
        self._workspace = workspace
        self._pins = pins
        self._users: dict[tuple[str, ...], int] = {}
        self._mounts: OrderedDict[tuple[str, ...], Path] = OrderedDict()  # least recently released first
        self._lock = threading.Lock()
        self._empty = workspace.new_folder()
        self._empty.chmod(0o755)

    def open(self, layers: tuple[str, ...]) -> SnapshotView:
        """A view of a stack of layers, which are pinned already."""
        if not layers:
            return SnapshotView(self, layers, self._empty)
        if len(layers) == 1 and self._pins.plain(f"{LAYERS}/{layers[0]}"):
            return SnapshotView(self, layers, self._workspace.root / LAYERS / layers[0])
        with self._lock:
            if layers not in self._mounts:
                self._mounts[layers] = self._mount(layers)
            self._users[layers] = self._users.get(layers, 0) + 1
            return SnapshotView(self, layers, self._mounts[layers])

    def _mount(self, layers: tuple[str, ...]) -> Path:
        target = self._workspace.new_folder()
        below = [] if len(layers) > 1 else [self._workspace.relative(self._empty)]
        self._workspace.overlay.readonly([*below, *(f"{LAYERS}/{name}" for name in layers)], target)
        return target

    def release(self, layers: tuple[str, ...]) -> None:
        """One user less; unmounts what was idle longest when there are too many."""
        with self._lock:
            if layers not in self._users:
                return
            self._users[layers] -= 1
            if self._users[layers] == 0:
                del self._users[layers]
                self._mounts.move_to_end(layers)
            idle = [key for key in self._mounts if key not in self._users]
            for key in idle[: max(0, len(idle) - _IDLE)]:
                self._unmount(self._mounts.pop(key))

    def close(self) -> None:
        """Unmount everything."""
        with self._lock:
            for target in self._mounts.values():
                self._unmount(target)
            self._mounts.clear()
            self._users.clear()

    def _unmount(self, target: Path) -> None:
        # Nothing can be written through a view: one that is still open somewhere may linger, unseen.
        kernel.umount(target, kernel.MNT_DETACH | kernel.UMOUNT_NOFOLLOW)
        target.rmdir()
