"""Draft: a file system being written, on top of a snapshot."""

from __future__ import annotations

import os
import stat
from contextlib import suppress
from typing import TYPE_CHECKING

from pipelines.engine.embedded import kernel
from pipelines.engine.embedded.store.disk_full import disk_full_errors
from pipelines.engine.embedded.store.objects.workspace import LAYERS
from pipelines.engine.embedded.store.overlay import unmount
from pipelines.engine.embedded.store.snapshot import Snapshot
from pipelines.engine.embedded.store.trees.measure import MARKS, measure, xattrs
from pipelines.engine.embedded.store.trees.removing import remove

if TYPE_CHECKING:
    from pathlib import Path
    from types import TracebackType
    from typing import Self

    from pipelines.engine.embedded.store.layers.layer_store import LayerStore
    from pipelines.engine.embedded.store.objects.workspace import Workspace


class Draft:
    """A writable file system; ends by `commit` or `discard`. As a context manager it discards what was not committed.

    Args:
        for_container: a container will run on it; else it is mounted so that devices in it cannot be opened.

    Attributes:
        lower: what it started from.
        upper: the changes, as an overlay layer. Write below `mount()` while mounted, never here.
    """

    def __init__(self, workspace: Workspace, layers: LayerStore, lower: Snapshot, *, for_container: bool = False) -> None:
        self.lower = lower
        self._workspace = workspace
        self._layers = layers
        self._for_container = for_container
        self._mounted: Path | None = None
        self._mounts = 0
        with disk_full_errors(workspace.root):
            self._folder = workspace.new_folder()
            self.upper = self._folder / "u"
            self.upper.mkdir()
            self._start = self._apply_attributes()

    def _apply_attributes(self) -> tuple[object, ...]:
        """Give the root folder what the root folder below has: overlayfs shows the upper's."""
        if not self.lower.layers:
            self.upper.chmod(0o755)
            return _attributes(self.upper)
        below = self._workspace.root / LAYERS / self.lower.layers[-1]
        info, above = below.stat(), self.upper.stat()
        if (info.st_uid, info.st_gid) != (above.st_uid, above.st_gid):
            os.chown(self.upper, info.st_uid, info.st_gid)
        self.upper.chmod(stat.S_IMODE(info.st_mode))
        for name in _plain_xattrs(below):
            os.setxattr(self.upper, name, os.getxattr(below, name))
        os.utime(self.upper, ns=(info.st_atime_ns, info.st_mtime_ns))
        return _attributes(self.upper)

    def mount(self) -> Path:
        """The merged, writable root. Over `SCRATCH` a plain folder, no mount."""
        if not self.lower.layers:
            return self.upper
        if self._mounted is None:
            target, work = self._folder / "m", self._folder / f"w{self._mounts}"  # one that was mounted volatile is refused
            self._mounts += 1
            with disk_full_errors(self._workspace.root):
                target.mkdir(exist_ok=True)
                work.mkdir()
                layers = [f"{LAYERS}/{name}" for name in self.lower.layers]
                upper, work_dir = self._workspace.relative(self.upper), self._workspace.relative(work)
                self._workspace.overlay.writable(layers, upper, work_dir, target, for_container=self._for_container)
            self._mounted = target
        return self._mounted

    def unmount(self) -> None:
        """Unmount, if mounted. OSError EBUSY while a process still uses it."""
        if self._mounted is not None:
            unmount(self._mounted)
            self._mounted = None

    def commit(self, id: str) -> Snapshot:  # noqa: A002 - the field's name
        """Make the changes a layer and return the new snapshot; `lower` itself when nothing was written.

        Args:
            id: of the new snapshot: equal ids must mean equal content.

        Raises:
            DiskFull: nothing is left of the draft then.
        """
        self.unmount()
        if not any(self.upper.iterdir()) and _attributes(self.upper) == self._start:
            self.discard()
            return self.lower
        with disk_full_errors(self._workspace.root):
            name = self._layers.adopt(self.upper, measure(self.upper))
        self.discard()
        return Snapshot(id, (*self.lower.layers, name))

    def discard(self) -> None:
        """Unmount and remove everything that was not committed. Twice is fine."""
        self.unmount()
        if self._folder.exists():
            remove(self._folder, self._workspace.tmp)

    def abandon(self) -> None:
        """Have it unmounted as soon as nobody uses it any more: the session ends, its work with it. What is in it is swept later."""
        if self._mounted is not None:
            with suppress(OSError):
                kernel.umount(self._mounted, kernel.MNT_DETACH | kernel.UMOUNT_NOFOLLOW)
            self._mounted = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.discard()


def _attributes(root: Path) -> tuple[object, ...]:
    info = root.stat()
    return info.st_mode, info.st_uid, info.st_gid, sorted((name, os.getxattr(root, name)) for name in _plain_xattrs(root))


def _plain_xattrs(path: Path) -> list[str]:
    return [name for name in xattrs(str(path)) if not name.startswith(MARKS)]
