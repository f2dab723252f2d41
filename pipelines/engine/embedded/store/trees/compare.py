"""What one folder has that another has not, or has otherwise."""

from __future__ import annotations

import os
import stat
from typing import TYPE_CHECKING

from pipelines.engine.embedded.store.selection.patterns import Filter
from pipelines.engine.embedded.store.selection.select import SelectedPath, select
from pipelines.engine.embedded.store.trees.measure import MARKS, xattrs
from pipelines.foundation.regular_files import reading

if TYPE_CHECKING:
    from collections.abc import Iterator

_BLOCK = 1 << 20


def changes(old: str, new: str) -> Iterator[SelectedPath]:
    """Paths below the folder `new` that are not in the folder `old`, or differ there; the folders they lie in come first.

    Two files are alike if type, mode, owner, extended attributes and content (link target, device number) are. Times do not count.
    """
    shared = {""}
    pending: dict[str, SelectedPath] = {}
    for found in select(new, Filter()):
        parent = found.rel.rpartition("/")[0]
        before = _lstat(os.path.join(old, found.rel)) if parent in shared else None
        alike = before is not None and _alike(os.path.join(old, found.rel), before, found)
        if found.is_folder() and before is not None and stat.S_ISDIR(before.st_mode):
            shared.add(found.rel)
            if alike:
                pending[found.rel] = found
        if not alike:
            yield from _parents(pending, parent)
            yield found


def _parents(pending: dict[str, SelectedPath], folder: str) -> Iterator[SelectedPath]:
    """The folders that were not given out yet, outermost first."""
    names = folder.split("/")
    for count in range(1, len(names) + 1):
        found = pending.pop("/".join(names[:count]), None)
        if found is not None:
            yield found


def _lstat(path: str) -> os.stat_result | None:
    try:
        return os.lstat(path)
    except FileNotFoundError:
        return None


def _alike(old: str, before: os.stat_result, found: SelectedPath) -> bool:
    after = found.info
    if (before.st_mode, before.st_uid, before.st_gid) != (after.st_mode, after.st_uid, after.st_gid):
        return False
    if _xattrs(old) != _xattrs(found.path):
        return False
    return same_content(old, before, found.path, after)


def same_content(old: str, before: os.stat_result, new: str, after: os.stat_result) -> bool:
    """Whether two entries of one type hold the same: content, link target or device number."""
    if stat.S_ISREG(after.st_mode):
        return before.st_size == after.st_size and _same_bytes(old, new)
    if stat.S_ISLNK(after.st_mode):
        return os.readlink(old) == os.readlink(new)
    return before.st_rdev == after.st_rdev


def _xattrs(path: str) -> dict[str, bytes]:
    return {name: os.getxattr(path, name, follow_symlinks=False) for name in xattrs(path) if not name.startswith(MARKS)}


def _same_bytes(one: str, two: str) -> bool:
    with reading(one) as first, reading(two) as second:
        while True:
            block = first.read(_BLOCK)
            if block != second.read(_BLOCK):
                return False
            if not block:
                return True
