"""Overlay mounts over the store's layers, by mount(2).

Paths in the options go through `/proc/self/fd/N`, N being the open store, so that their length does not depend on where the store is and
128 layers fit into the page the kernel takes. `index`, `metacopy` and `redirect_dir` stay off: a layer holds plain files, whiteouts and
opaque marks, nothing else.
"""

from __future__ import annotations

import errno
import os
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

from pipelines.engine.embedded import kernel
from pipelines.engine.embedded.errors import EmbeddedUnavailable

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

NO_OVERLAY = (
    "overlayfs cannot work on the file system of {}, as it cannot on a container's own root, on NFS, or for an ordinary user before "
    "Linux 5.11: set LOCKGATE_STORE to a folder on a local disk (in a container: on a volume)"
)
_PLAIN = "index=off,metacopy=off,redirect_dir=off"
_ROOTLESS = "index=off,metacopy=off,redirect_dir=nofollow,userxattr"  # the kernel refuses `redirect_dir=off` with `userxattr`
_OURS = kernel.MS_NODEV | kernel.MS_NOSUID  # of mounts that only the engine looks into: no device node in a layer can be opened there
_PATIENCE = 2.0  # seconds a mount may stay busy before we give up on it: the kernel ends a killed process a moment after it is reported


class OverlayMounts:
    """Mounts for one store.

    Args:
        root: the store's root.
        rootless: keep whiteout and opaque marks in `user.` attributes, as a user namespace has to.
    """

    def __init__(self, root: Path, *, rootless: bool) -> None:
        self._root = root
        self._fd = os.open(root, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
        self._base = f"/proc/self/fd/{self._fd}/"
        self._options = _ROOTLESS if rootless else _PLAIN
        self._volatile = True
        self.opaque_mark = "user.overlay.opaque" if rootless else "trusted.overlay.opaque"

    def close(self) -> None:
        """Let go of the store's folder. Mounts that were made stay."""
        os.close(self._fd)

    def readonly(self, layers: Sequence[str], target: Path) -> None:
        """Mount `layers` (paths below the store, bottom first, at least two) at `target`."""
        with self._possible():
            kernel.mount("overlay", target, "overlay", kernel.MS_RDONLY | _OURS, f"{self._options},{self._lower(layers)}")

    def writable(self, layers: Sequence[str], upper: str, work: str, target: Path, *, for_container: bool = False) -> None:
        """Mount `layers` at `target`; changes go to `upper` (paths below the store). Unmounting writes nothing back (`volatile`).

        `for_container`: a container will run on it, where set-user-id programs and devices must work as they do in Docker.
        """
        flags = 0 if for_container else _OURS
        data = f"{self._options},{self._lower(layers)},upperdir={self._base}{upper},workdir={self._base}{work}"
        if self._volatile:
            try:
                kernel.mount("overlay", target, "overlay", flags, f"{data},volatile")
            except OSError as error:
                if error.errno != errno.EINVAL:
                    raise
            else:
                return
        with self._possible():
            kernel.mount("overlay", target, "overlay", flags, data)
        self._volatile = False  # this kernel is older than 5.10

    @contextmanager
    def _possible(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            if error.errno not in {errno.EINVAL, errno.ENODEV, errno.EOPNOTSUPP}:  # ENODEV: the kernel has no overlayfs at all
                raise
            raise EmbeddedUnavailable(NO_OVERLAY.format(self._root)) from error

    def _lower(self, layers: Sequence[str]) -> str:
        return "lowerdir=" + ":".join(self._base + layer for layer in reversed(layers))


def unmount(target: Path) -> None:
    """Unmount what nobody uses any more; OSError EBUSY when something still does after two seconds."""
    deadline = time.monotonic() + _PATIENCE
    pause = 0.0005
    while True:
        try:
            kernel.umount(target)
        except OSError as error:
            if error.errno != errno.EBUSY or time.monotonic() > deadline:
                raise
            time.sleep(pause)
            pause *= 2
        else:
            return
