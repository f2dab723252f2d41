"""A store's index seen from outside: nothing is locked, written or kept. What it says may be out of date a moment later."""

from __future__ import annotations

import hashlib
import sqlite3
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING
from urllib.parse import quote

from pipelines.engine.embedded.store.objects.index import VERSION, chunks

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

_PATIENCE = 1.0


class ReadOnlyIndex:
    """The index of the store at `root`, only read. A store that is not there, or cannot be read, is empty."""

    def __init__(self, root: Path) -> None:
        self._uri = f"file:{quote(str(root / 'index.db'))}?mode=ro"

    @contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """Statements that change nothing."""
        try:
            db = sqlite3.connect(self._uri, uri=True, timeout=_PATIENCE)
        except sqlite3.Error:
            db = sqlite3.connect(":memory:")
        with closing(db):
            try:
                known = db.execute("PRAGMA user_version").fetchone()[0] == VERSION
            except sqlite3.Error:
                known = False
            if known:
                yield db
                return
        with closing(sqlite3.connect(":memory:")) as empty:
            empty.execute("CREATE TABLE results (key, payload)")
            empty.execute("CREATE TABLE aliases (alias, key)")
            empty.execute("CREATE TABLE notes (name, value)")
            yield empty

    def contents(self, digests: Sequence[str]) -> dict[str, str]:
        """What stands for the outcome under each of these keys or aliases, of those that there are: another text when it was made again."""
        found: dict[str, str] = {}
        with self.reading() as db:
            for marks, part in chunks(digests):
                find = f"SELECT alias, payload FROM aliases JOIN results ON results.key = aliases.key WHERE alias IN ({marks})"  # noqa: S608 - only question marks
                found.update(db.execute(find, part).fetchall())
                find = f"SELECT key, payload FROM results WHERE key IN ({marks})"  # noqa: S608
                found.update(db.execute(find, part).fetchall())
        return {digest: hashlib.sha256(payload.encode()).hexdigest()[:24] for digest, payload in found.items()}
