"""Results: what an operation came to, by key, with the objects it cannot do without."""

from __future__ import annotations

import json
import threading
from typing import TYPE_CHECKING, Any, NamedTuple

from pipelines.engine.embedded.store.objects.pins import ObjectMissing
from pipelines.foundation.clock import unix_time

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterable, Sequence

    from pipelines.engine.embedded.store.objects.pins import Pins
    from pipelines.engine.embedded.store.objects.workspace import Workspace

_FIND = """
SELECT key, payload FROM results WHERE key = :key
UNION ALL SELECT results.key, payload FROM aliases JOIN results ON results.key = aliases.key WHERE alias = :key LIMIT 1
"""

_PUT = """
INSERT INTO results VALUES (?, ?, ?, ?, ?) ON CONFLICT (key) DO UPDATE SET payload = excluded.payload,
label = CASE excluded.label WHEN '' THEN label ELSE excluded.label END, cost = max(cost, excluded.cost), used = excluded.used
"""


class ResultNotes(NamedTuple):
    """What is noted beside a result: further keys, the seconds it took, and its name for people."""

    alias: Sequence[str]
    cost: float
    label: str


class Results:
    """Looks results up and records them."""

    def __init__(self, workspace: Workspace, pins: Pins) -> None:
        self._workspace = workspace
        self._pins = pins
        self._touched: dict[str, float] = {}  # written with the next transaction: a hit alone costs no write
        self._lock = threading.Lock()

    def get(self, key: str) -> dict[str, Any] | None:
        """The payload under a key or alias; None when there is none, or when an object it needs is gone (then it is forgotten)."""
        with self._workspace.index.reading() as db:
            row = db.execute(_FIND, {"key": key}).fetchone()
            if row is None:
                return None
            names = [name for (name,) in db.execute("SELECT name FROM uses WHERE key = ?", (row[0],))]
        if self._pins.missing(names) and not self._hold(row[0], names):
            return None
        with self._lock:
            self._touched[row[0]] = unix_time()
        payload: dict[str, Any] = json.loads(row[1])
        return payload

    def _hold(self, key: str, names: list[str]) -> bool:
        try:
            self._pins.hold(names)
        except ObjectMissing:
            with self._workspace.index.writing() as db:
                forget(db, [key])
            return False
        return True

    def put(self, db: sqlite3.Connection, key: str, payload: dict[str, Any], names: Sequence[str], entry: ResultNotes) -> None:
        """Record a result in an open transaction, in place of one under the same key. `names` are the objects it needs, pinned already."""
        text = json.dumps(payload, separators=(",", ":"))
        db.execute("DELETE FROM uses WHERE key = ?", (key,))
        db.execute(_PUT, (key, text, entry.label, entry.cost, unix_time()))
        db.executemany("INSERT OR IGNORE INTO uses VALUES (?, ?)", [(key, name) for name in names])
        db.executemany("INSERT OR REPLACE INTO aliases VALUES (?, ?)", [(other, key) for other in entry.alias if other != key])
        self._flush(db)

    def flush(self) -> None:
        """Write down when results were last used."""
        with self._workspace.index.writing() as db:
            self._flush(db)

    def _flush(self, db: sqlite3.Connection) -> None:
        with self._lock:
            touched, self._touched = self._touched, {}
        db.executemany("UPDATE results SET used = ? WHERE key = ?", [(when, key) for key, when in touched.items()])


def forget(db: sqlite3.Connection, keys: Iterable[str]) -> None:
    """Remove results; the objects they used stay until somebody collects them."""
    rows = [(key,) for key in keys]
    db.executemany("DELETE FROM results WHERE key = ?", rows)
    db.executemany("DELETE FROM uses WHERE key = ?", rows)
    db.executemany("DELETE FROM aliases WHERE key = ?", rows)
