"""What a tree takes on disk, and whether it can be shown as it is."""

from __future__ import annotations

import os
import stat
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from pathlib import Path

MARKS = ("trusted.overlay.", "user.overlay.")  # extended attributes that are overlayfs's own
OPAQUE = ("trusted.overlay.opaque", "user.overlay.opaque")


class Measure(NamedTuple):
    """Attributes:
    size: bytes on disk, hard links counted once.
    plain: neither whiteouts nor opaque marks: the tree means what it shows.
    """

    size: int
    plain: bool


def measure(path: Path) -> Measure:
    """Measure a file or a tree; symbolic links are not followed."""
    info = path.lstat()
    size, plain = info.st_blocks * 512, True
    seen: set[tuple[int, int]] = set()
    pending = [str(path)] if stat.S_ISDIR(info.st_mode) else []
    while pending:
        folder = pending.pop()
        plain = plain and not is_opaque(folder)
        with os.scandir(folder) as entries:
            for entry in entries:
                info = entry.stat(follow_symlinks=False)
                if stat.S_ISDIR(info.st_mode):
                    pending.append(entry.path)
                elif info.st_nlink > 1:
                    if (info.st_dev, info.st_ino) in seen:
                        continue
                    seen.add((info.st_dev, info.st_ino))
                plain = plain and not is_whiteout(info)
                size += info.st_blocks * 512
    return Measure(size, plain)


def is_whiteout(info: os.stat_result) -> bool:
    """Whether overlayfs reads it as "the name below is gone": a character device 0:0."""
    return stat.S_ISCHR(info.st_mode) and info.st_rdev == 0


def is_opaque(folder: str) -> bool:
    """Whether overlayfs shows nothing of the layers below in this folder."""
    return any(name in OPAQUE and os.getxattr(folder, name, follow_symlinks=False) == b"y" for name in xattrs(folder))


def xattrs(path: str | int) -> list[str]:
    """Names of extended attributes; none where the file system has none."""
    try:
        return os.listxattr(path, follow_symlinks=False) if isinstance(path, str) else os.listxattr(path)
    except OSError:
        return []
