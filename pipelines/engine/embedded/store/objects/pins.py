"""Pins: what this session works with stays, whoever cleans up."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from pipelines.engine.codes import Code
from pipelines.engine.embedded.errors import EngineError
from pipelines.engine.embedded.store.objects.index import objects_among

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterable

    from pipelines.engine.embedded.store.objects.workspace import Workspace


class ObjectMissing(EngineError):  # noqa: N818 - reads as a sentence where it is raised
    """An object that was to be used is no longer in the store."""

    code = Code.UNAVAILABLE


class Pins:
    """The objects this session holds. A pin lives as long as the session."""

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace
        self._held: dict[str, bool] = {}  # object name → plain
        self._lock = threading.Lock()

    def missing(self, names: Iterable[str]) -> list[str]:
        """Those not held yet."""
        with self._lock:
            return [name for name in names if name not in self._held]

    def plain(self, name: str) -> bool:
        """Whether a held layer has neither whiteouts nor opaque marks."""
        return self._held[name]

    def hold(self, names: Iterable[str]) -> None:
        """Pin `names`. Raises `ObjectMissing` when one is not in the store."""
        if absent := self.missing(names):
            with self._workspace.index.writing() as db:
                self.hold_in(db, absent)

    def hold_in(self, db: sqlite3.Connection, names: list[str]) -> None:
        """As `hold`, as part of a transaction that is open."""
        found = objects_among(db, names)
        for name in names:
            if name not in found or not (self._workspace.root / name).exists():
                raise ObjectMissing(f"{name} is no longer in the engine's store {self._workspace.root}: run it again")
        self.add(db, {name: bool(plain) for name, plain in found.items()})

    def add(self, db: sqlite3.Connection, objects: dict[str, bool]) -> None:
        """Pin objects known to be there, each with whether it is plain."""
        token = self._workspace.token
        db.executemany("INSERT OR IGNORE INTO pins VALUES (?, ?)", [(token, name) for name in objects])
        self._workspace.index.after_commit(lambda: self._remember(objects))

    def _remember(self, objects: dict[str, bool]) -> None:
        with self._lock:
            self._held.update(objects)
