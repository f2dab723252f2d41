"""Walking a tree for what include, exclude and `.gitignore` leave of it."""

from __future__ import annotations

import os
import stat
from typing import TYPE_CHECKING, NamedTuple

from pipelines.engine.embedded.store.selection.patterns import START, Filter, State

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from pipelines.engine.embedded.store.selection.gitignore import IgnoreRules


class SelectedPath(NamedTuple):
    """A selected path.

    Attributes:
        rel: relative to where the walk began.
        path: where it is.
        info: its lstat.
        implied: a folder that does not pass itself, but something in it does.
    """

    rel: str
    path: str
    info: os.stat_result
    implied: bool = False

    def is_folder(self) -> bool:
        """Whether the path itself is a folder; a link to one is not."""
        return stat.S_ISDIR(self.info.st_mode)


class _Level:
    """A folder being walked. `pending`: the folder itself, while nothing in it is selected."""

    __slots__ = ("entries", "ignore", "pending", "prefix", "state")

    def __init__(
        self, path: str, prefix: str, state: tuple[State, State], ignore: IgnoreRules | None, pending: SelectedPath | None
    ) -> None:
        with os.scandir(path) as entries:
            self.entries = iter(sorted(entries, key=_by_bytes))
        self.prefix = prefix
        self.state = state
        self.ignore = ignore
        self.pending = pending


def select(
    base: str,
    filters: Filter,
    ignore: IgnoreRules | None = None,
    ignore_prefix: str = "",
    leave_out: Collection[tuple[int, int]] = (),
) -> Iterator[SelectedPath]:
    """What is below the folder `base` and passes; each folder before its content, names sorted by their bytes.

    A folder that does not pass itself is there when something in it does. Links are not followed.

    Args:
        base: the folder.
        filters: judges paths relative to `base`.
        ignore: rules of the `.gitignore` files for the entries of `base`.
        ignore_prefix: path of `base` (with a slash at its end, or empty) from where `ignore` counts.
        leave_out: folders, by device and inode, that are not there for this walk.
    """
    levels = [_Level(base, "", START, ignore, None)]
    while levels:
        level = levels[-1]
        entry = next(level.entries, None)
        if entry is None:
            levels.pop()
            continue
        rel = level.prefix + entry.name
        is_folder = entry.is_dir(follow_symlinks=False)
        included, descend, state = (True, True, START) if filters.everything else filters.visit(rel, level.state)
        if level.ignore is not None and level.ignore.ignored(ignore_prefix + rel, is_folder=is_folder):
            descend = descend and level.ignore.takes_back
            included = False
        found = SelectedPath(rel, entry.path, entry.stat(follow_symlinks=False)) if included or (is_folder and descend) else None
        if found is not None and is_folder and leave_out and (found.info.st_dev, found.info.st_ino) in leave_out:
            continue
        if found is not None and included:
            yield from _pending(levels)
            yield found
        if found is not None and is_folder and descend:
            inner = level.ignore and level.ignore.inside(entry.path, f"{ignore_prefix}{rel}/")
            levels.append(_Level(entry.path, rel + "/", state, inner, None if included else found))


def _pending(levels: list[_Level]) -> Iterator[SelectedPath]:
    for level in levels:
        if level.pending is not None:
            yield level.pending._replace(implied=True)
            level.pending = None


def _by_bytes(entry: os.DirEntry[str]) -> bytes:
    return os.fsencode(entry.name)
