"""The database file: one SQLite connection per thread, short write transactions, schema and catalogue on first start."""

from __future__ import annotations

import json
import sqlite3
import threading
from contextlib import contextmanager
from importlib.resources import files
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

BUSY_S = 5.0


class Database:
    """Opened once per process and shared by all request threads."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._local = threading.local()
        self._lock = threading.Lock()
        self._connections: list[sqlite3.Connection] = []
        path.parent.mkdir(parents=True, exist_ok=True)
        self._migrate()

    def read(self) -> sqlite3.Connection:
        """This thread's connection; each statement sees the last commit."""
        connection = getattr(self._local, "connection", None)
        if connection is None:
            connection = self._local.connection = self._connect()
        return connection

    @contextmanager
    def write(self) -> Iterator[sqlite3.Connection]:
        """A transaction that holds the write lock from its start: committed at the end, rolled back on any error."""
        connection = self.read()
        connection.execute("BEGIN IMMEDIATE")
        try:
            yield connection
        except BaseException:
            connection.rollback()
            raise
        connection.commit()

    def close(self) -> None:
        """Close the connections of all threads."""
        with self._lock:
            for connection in self._connections:
                connection.close()
            self._connections.clear()

    def _connect(self) -> sqlite3.Connection:
        connection = sqlite3.connect(self._path, timeout=BUSY_S, isolation_level=None, check_same_thread=False)
        connection.row_factory = sqlite3.Row
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = NORMAL")
        connection.execute("PRAGMA foreign_keys = ON")
        with self._lock:
            self._connections.append(connection)
        return connection

    def _migrate(self) -> None:
        here = files("shop")
        self.read().executescript(here.joinpath("schema.sql").read_text())
        products = json.loads(here.joinpath("catalogue.json").read_text())
        with self.write() as connection:
            connection.executemany("INSERT OR IGNORE INTO products VALUES (:sku, :name, :unit_cents, :stock)", products)
