"""Removes the mount points that a runtime made in a root file system: they are not part of what the command wrote."""

from __future__ import annotations

import contextlib
import os
import stat
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pipelines.engine.embedded.kernel import openat2
from pipelines.engine.embedded.sandbox.rootfs.paths import ContainerPaths, PathInside

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from pipelines.engine.embedded.sandbox.spec import Bind, Tmpfs

SYSTEM = ("/proc", "/dev", "/sys")


@dataclass(frozen=True, slots=True)
class _Missing:
    """`names` are to be made, one below the other, in the directory `parent` opened before; its times are put back after."""

    parent: int
    names: tuple[str, ...]
    times: tuple[int, int]


class MountPoints:
    """Taken before a run, cleaned after it: mount points that were missing before and are still empty after are removed."""

    def __init__(self, missing: Sequence[_Missing]) -> None:
        self._missing = missing

    @classmethod
    def before(cls, rootfs: Path, mounts: Sequence[Bind | Tmpfs]) -> MountPoints:
        """Note which mount points are missing; each is looked for where it will be once the mounts before it are there."""
        inside = ContainerPaths(rootfs, mounts)
        places = [inside.place(target, below=0) for target in SYSTEM]
        places += [inside.place(mount.target, below=number) for number, mount in enumerate(mounts) if not _in_system(mount.target)]
        return cls([missing for place in places if place is not None and (missing := _look(place))])

    def clean(self) -> None:
        """Remove what was made and is empty, put the parents' times back, close the parents."""
        for missing in reversed(self._missing):
            with contextlib.suppress(OSError):
                _remove(missing)
        for missing in self._missing:
            with contextlib.suppress(OSError):
                os.utime(missing.parent, ns=missing.times)
            os.close(missing.parent)


def _in_system(target: str) -> bool:
    return any(target == name or target.startswith(name + "/") for name in SYSTEM)


def _look(place: PathInside) -> _Missing | None:
    """None when the place is there already."""
    if place.stat() is not None:
        return None
    place = place.canonical()
    names = place.rel.split("/")
    for depth in range(len(names) - 1, -1, -1):
        with contextlib.suppress(OSError):
            parent = PathInside(place.root, "/".join(names[:depth])).open(os.O_RDONLY | os.O_DIRECTORY)
            status = os.fstat(parent)
            return _Missing(parent, tuple(names[depth:]), (status.st_atime_ns, status.st_mtime_ns))
    return None


def _remove(missing: _Missing) -> None:
    for depth in range(len(missing.names) - 1, -1, -1):
        folder = _folder(missing.parent, missing.names[:depth])
        try:
            _remove_empty(folder, missing.names[depth])
        finally:
            os.close(folder)


def _folder(parent: int, names: Iterable[str]) -> int:
    return openat2(parent, "/".join(names) or ".", os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)


def _remove_empty(folder: int, name: str) -> None:
    status = os.stat(name, dir_fd=folder, follow_symlinks=False)
    if stat.S_ISDIR(status.st_mode):
        os.rmdir(name, dir_fd=folder)
    elif stat.S_ISREG(status.st_mode) and status.st_size == 0:
        os.unlink(name, dir_fd=folder)
