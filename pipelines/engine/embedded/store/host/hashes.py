"""Hashes of host files, remembered by what the file system says about the file, as git does in its index.

A file that has the same device, inode, size, and times of change and of status change as when it was hashed has the same content, unless it
was changed so soon after that the clock of the file system shows no difference. Such racy hashes are not remembered.
"""

from __future__ import annotations

import json
import os
import stat
import time
from typing import TYPE_CHECKING, Protocol

from pipelines.engine.embedded.store.trees.digests import hash_file, hash_files
from pipelines.foundation.clock import unix_time

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Sequence
    from contextlib import AbstractContextManager

    from pipelines.engine.embedded.store.objects.index import Index
    from pipelines.engine.embedded.store.selection.select import SelectedPath

RACY = 2_000_000_000  # nanoseconds: the coarsest clock a file system has (FAT)
_SLOTS = 200  # walks remembered in a store
_FORGET_OLDEST = """
DELETE FROM notes WHERE name LIKE 'hashes:%'
AND name NOT IN (SELECT name FROM notes WHERE name LIKE 'hashes:%' ORDER BY used DESC LIMIT ?)
"""


class RememberedNotes(Protocol):
    """Where notes are looked up: the store's index, or one that is only read."""

    def reading(self) -> AbstractContextManager[sqlite3.Connection]:
        """Statements that change nothing."""


class FileHashes:
    """The remembered hashes of one walk.

    Attributes:
        layer: a layer that holds the files as they were then; "" if there is none.
        changed: there is something new to `save`.
    """

    def __init__(self, index: RememberedNotes, slot: str) -> None:
        self._name = f"hashes:{slot}"
        self._known: dict[str, list[int | str]] = {}
        self.layer = ""
        self.changed = False
        self._fresh = self._known
        with index.reading() as db:
            row = db.execute("SELECT value FROM notes WHERE name = ?", (self._name,)).fetchone()
        if row is not None:
            self.layer, self._known = json.loads(row[0])

    def sure_hash(self, found: SelectedPath) -> str | None:
        """The hash of a file, if it is known for sure."""
        entry = self._known.get(found.rel)
        return str(entry[-1]) if entry is not None and entry[:-1] == _stamp(found.info) else None

    def of(self, files: Sequence[SelectedPath]) -> dict[str, str]:
        """The hash of each file, by its relative path; files that vanished are left out."""
        now = time.time_ns()
        hashes = {found.rel: value for found in files if (value := self.sure_hash(found)) is not None}
        unknown = [found for found in files if found.rel not in hashes]
        self.changed = bool(unknown) or len(files) != len(self._known)
        hashes.update((found.rel, value) for found, value in zip(unknown, _read(unknown), strict=True) if value)
        self._fresh = (
            {
                found.rel: [*_stamp(found.info), hashes[found.rel]]
                for found in files
                if found.rel in hashes and max(found.info.st_mtime_ns, found.info.st_ctime_ns) + RACY < now
            }
            if self.changed
            else self._known
        )
        return hashes

    def is_unchanged(self, found: SelectedPath) -> bool:
        """Whether the file is still what was hashed, and nobody could have changed it unnoticed."""
        entry = self._fresh.get(found.rel)
        try:
            return entry is not None and entry[:-1] == _stamp(os.lstat(found.path))
        except FileNotFoundError:
            return False

    def forget(self, rel: str) -> None:
        """The file changed while it was read."""
        self._fresh.pop(rel, None)

    def save(self, index: Index, layer: str) -> None:
        """Remember in `index` the hashes asked for last, and the layer that has these files."""
        value = json.dumps([layer, self._fresh], separators=(",", ":"))
        with index.writing() as db:
            db.execute("INSERT OR REPLACE INTO notes VALUES (?, ?, ?)", (self._name, value, unix_time()))
            db.execute(_FORGET_OLDEST, (_SLOTS,))


def _stamp(info: os.stat_result) -> list[int]:
    return [info.st_dev, info.st_ino, info.st_size, info.st_mtime_ns, info.st_ctime_ns]


def _read(files: Sequence[SelectedPath]) -> list[str]:
    """Hashes; "" for files that are no longer there, or no longer files."""
    try:
        return hash_files([found.path for found in files])
    except OSError:
        return [_read_one(found.path) for found in files]


def _read_one(path: str) -> str:
    try:
        return hash_file(path)
    except OSError:
        if is_file(path):
            raise
        return ""


def is_file(path: str) -> bool:
    """Whether a regular file is there now."""
    try:
        return stat.S_ISREG(os.lstat(path).st_mode)
    except FileNotFoundError:
        return False
