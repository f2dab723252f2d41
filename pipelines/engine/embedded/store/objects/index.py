"""The SQLite file that says what the store holds. Whatever it does not name does not exist.

Tables:
    objects: what is on disk (layers, outputs, blobs, volumes) by path below the store's root, with its size.
    results: outcomes of operations: a JSON payload by key. `uses` are the objects it cannot do without.
    aliases: further keys of a result.
    pins: objects a live session works with; nobody may remove them.
    notes: small values by name, for caches that may be lost.
"""

from __future__ import annotations

import sqlite3
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from pipelines.engine.embedded.store.disk_full import disk_full_errors

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from pathlib import Path

VERSION = 2  # of the tables and of what the files on disk mean; an older store starts empty, a newer one is left alone
_PATIENCE = 60.0  # seconds to wait for another process's transaction; ours take milliseconds
_CHUNK = 500  # values in one statement

_TABLES = """
CREATE TABLE objects (
    name TEXT PRIMARY KEY, kind TEXT NOT NULL, key TEXT, size INTEGER NOT NULL, plain INTEGER NOT NULL, used REAL NOT NULL
) WITHOUT ROWID;
CREATE INDEX objects_key ON objects (kind, key) WHERE key IS NOT NULL;
CREATE TABLE results (
    key TEXT PRIMARY KEY, payload TEXT NOT NULL, label TEXT NOT NULL, cost REAL NOT NULL, used REAL NOT NULL
) WITHOUT ROWID;
CREATE TABLE uses (key TEXT NOT NULL, name TEXT NOT NULL, PRIMARY KEY (key, name)) WITHOUT ROWID;
CREATE INDEX uses_name ON uses (name);
CREATE TABLE aliases (alias TEXT PRIMARY KEY, key TEXT NOT NULL) WITHOUT ROWID;
CREATE INDEX aliases_key ON aliases (key);
CREATE TABLE pins (session TEXT NOT NULL, name TEXT NOT NULL, PRIMARY KEY (session, name)) WITHOUT ROWID;
CREATE INDEX pins_name ON pins (name);
CREATE TABLE notes (name TEXT PRIMARY KEY, value BLOB NOT NULL, used REAL NOT NULL) WITHOUT ROWID;
"""


class Index:
    """One connection, used by all threads of this process in turn. It waits for the disk and for other processes: not for an event loop.

    Attributes:
        on_use: called at each use, in the thread that uses it.
    """

    def __init__(self, path: Path) -> None:
        self._root = path.parent
        self._lock = threading.RLock()
        self._after: list[Callable[[], None]] = []
        self.on_use: Callable[[], object] = _nothing
        self._db = sqlite3.connect(path, timeout=_PATIENCE, isolation_level=None, check_same_thread=False)
        try:
            self._db.execute("PRAGMA journal_mode = WAL")
            self._db.execute("PRAGMA synchronous = OFF")
            self._migrate()
        except BaseException:
            self._db.close()
            raise

    def _migrate(self) -> None:
        (version,) = self._db.execute("PRAGMA user_version").fetchone()
        if version not in {0, VERSION}:
            raise VersionError(version)
        if version == 0:
            self._db.executescript(f"BEGIN IMMEDIATE; {_TABLES} PRAGMA user_version = {VERSION}; COMMIT;")

    @contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """Statements that change nothing."""
        self.on_use()
        with self._lock:
            yield self._db

    @contextmanager
    def writing(self) -> Iterator[sqlite3.Connection]:
        """One transaction: all of it or nothing, also if the process is killed in between."""
        self.on_use()
        with self._lock, disk_full_errors(self._root):
            self._db.execute("BEGIN IMMEDIATE")
            try:
                yield self._db
                self._db.execute("COMMIT")
                for action in self._after:
                    action()
            except BaseException:
                if self._db.in_transaction:
                    self._db.execute("ROLLBACK")
                raise
            finally:
                self._after.clear()

    def after_commit(self, action: Callable[[], None]) -> None:
        """Do something once the open transaction is committed, and only then."""
        self._after.append(action)

    def close(self) -> None:
        """Close the connection, once nobody uses it. Nothing can be asked afterwards."""
        with self._lock:
            self._db.close()


def _nothing() -> None:
    """Nobody looks at who uses an index."""


class VersionError(Exception):
    """The index was written by another version of the engine; the message continues a sentence about the store.

    Attributes:
        newer: that version is a later one.
    """

    def __init__(self, version: int) -> None:
        super().__init__(f"is of version {version}, this engine reads version {VERSION}")
        self.newer = version > VERSION


def chunks(values: Iterable[str]) -> Iterator[tuple[str, list[str]]]:
    """Pairs of placeholders and values, for statements with `IN (…)` that take any number of values."""
    listed = list(values)
    for start in range(0, len(listed), _CHUNK):
        part = listed[start : start + _CHUNK]
        yield ",".join("?" * len(part)), part


def objects_among(db: sqlite3.Connection, names: Iterable[str]) -> dict[str, Any]:
    """Those of `names` that are objects, with whether they are plain."""
    found: dict[str, Any] = {}
    for marks, part in chunks(names):
        found.update(db.execute(f"SELECT name, plain FROM objects WHERE name IN ({marks})", part))  # noqa: S608 - only question marks
    return found
