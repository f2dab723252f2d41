"""Garbage collection: what goes first when there is not room for everything, and what the store holds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from pipelines.engine.embedded.store.results.results import forget
from pipelines.engine.embedded.store.space.sweep import dead_folders, delete_unused, orphans, unpin_dead
from pipelines.engine.embedded.store.trees.measure import measure
from pipelines.foundation.clock import unix_time

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Collection
    from pathlib import Path

    from pipelines.engine.embedded.store.objects.sessions import StoreSessions
    from pipelines.engine.embedded.store.objects.workspace import Workspace

# An object is as fresh as the freshest result that uses it, and a result as its least fresh object: only what frees something goes.
# A result without objects counts by itself.
_CANDIDATES = """
WITH fresh AS (SELECT uses.name AS name, max(results.used) AS used FROM uses JOIN results ON results.key = uses.key GROUP BY uses.name),
least AS (SELECT uses.key AS key, min(fresh.used) AS used FROM uses JOIN fresh ON fresh.name = uses.name GROUP BY uses.key)
SELECT coalesce(least.used, results.used) AS age, 'result' AS kind, results.key,
    CASE WHEN label != '' THEN label
        WHEN instr(results.key, ' ') THEN substr(results.key, 1, 30)
        ELSE 'result ' || substr(results.key, 1, 12) END, cost
FROM results LEFT JOIN least ON least.key = results.key
UNION ALL SELECT used, 'volume', name, 'cache volume ' || key, 0.0 FROM objects WHERE kind = 'volume'
ORDER BY age
"""


class RemovedItem(NamedTuple):
    """One thing that was removed.

    Attributes:
        label: what it was: an operation, a cache volume.
        age: seconds since it was last used.
        cost: seconds it took to make.
    """

    label: str
    age: float
    cost: float


@dataclass(frozen=True, slots=True)
class CleanupReport:
    """What a collection did.

    Attributes:
        freed: bytes.
        kept: bytes still in the store.
        taken: results and volumes removed, longest unused first.
        in_use: bytes over the budget that stay because live sessions use them.
    """

    freed: int
    kept: int
    removed: tuple[RemovedItem, ...]
    in_use: int


@dataclass(frozen=True, slots=True)
class Usage:
    """What a store holds, in bytes, and how many results.

    Attributes:
        layers: file systems.
        files: outputs and blobs.
        volumes: cache volumes.
        results: operations whose outcome is known.
        pinned: of all bytes, those live sessions hold.
    """

    layers: int
    files: int
    volumes: int
    results: int
    pinned: int

    @property
    def total(self) -> int:
        """All bytes."""
        return self.layers + self.files + self.volumes


def collect(workspace: Workspace, sessions: StoreSessions, budget: int) -> CleanupReport:
    """Remove results and volumes, longest unused first, until at most `budget` bytes are kept; and whatever nothing uses any more.

    What a live session has looked up or made stays. A result goes only when that frees something: one whose layers others still stand on
    is as fresh as they are.
    """
    with sessions.exclusive():
        sessions.remove_dead()
        alive = sessions.tokens()
    measure_volumes(workspace)
    gone: list[Path] = [*dead_folders(workspace.root, alive)]
    with workspace.index.writing() as db:
        unpin_dead(db, alive)
        before = _total(db)
        gone += [workspace.root / name for name in delete_unused(db)]
        taken, volumes = _Eviction(db, budget).run()
        gone += [workspace.root / name for name in delete_unused(db)]
        gone += [workspace.move_away(workspace.root / name) for name in volumes]
        gone += [workspace.root / name for name in orphans(db, workspace.root)]
        db.execute("DELETE FROM notes WHERE name LIKE 'archive:%' AND substr(name, 9) NOT IN (SELECT name FROM objects)")
        kept = _total(db)
    for path in gone:
        workspace.remove(path)
    return CleanupReport(before - kept, kept, tuple(taken), max(0, kept - max(0, budget)))


def measure_volumes(workspace: Workspace, names: Collection[str] | None = None) -> None:
    """Bring the recorded sizes of volumes (all, or some) up to date: their users write at will."""
    if names is None:
        with workspace.index.reading() as db:
            names = [name for (name,) in db.execute("SELECT name FROM objects WHERE kind = 'volume'")]
    sizes = [(_size(workspace.root / name), name) for name in names]
    with workspace.index.writing() as db:
        db.executemany("UPDATE objects SET size = ? WHERE name = ?", sizes)


def recorded(workspace: Workspace, volumes: Collection[str]) -> int:
    """Bytes in the store, of volumes as they were measured last; those named are measured now."""
    measure_volumes(workspace, volumes)
    with workspace.index.reading() as db:
        return _total(db)


def usage(workspace: Workspace) -> Usage:
    """What the store holds now."""
    measure_volumes(workspace)
    with workspace.index.reading() as db:
        sizes = dict(db.execute("SELECT kind, sum(size) FROM objects GROUP BY kind").fetchall())
        (results,) = db.execute("SELECT count(*) FROM results").fetchone()
        (pinned,) = db.execute("SELECT coalesce(sum(size), 0) FROM objects WHERE name IN (SELECT name FROM pins)").fetchone()
    return Usage(sizes.get("layer", 0), sizes.get("file", 0), sizes.get("volume", 0), results, pinned)


class _Eviction:
    """Chooses what goes, in one transaction."""

    def __init__(self, db: sqlite3.Connection, budget: int) -> None:
        self._db = db
        self._over = _total(db) - budget
        self._now = unix_time()

    def run(self) -> tuple[list[RemovedItem], list[str]]:
        """Forget results and strike volumes off; what they were, and the volumes' names."""
        if self._over <= 0:
            return [], []
        self._pinned = {name for (name,) in self._db.execute("SELECT DISTINCT name FROM pins")}
        self._users = dict(self._db.execute("SELECT name, count(*) FROM uses GROUP BY name").fetchall())
        self._sizes = dict(self._db.execute("SELECT name, size FROM objects").fetchall())
        taken, keys, volumes = [], [], []
        for used, kind, name, label, cost in self._db.execute(_CANDIDATES).fetchall():
            if self._over <= 0:
                break
            if kind == "result" and self._release(name):
                keys.append(name)
            elif kind == "volume" and name not in self._pinned:
                self._over -= self._sizes[name]
                volumes.append(name)
            else:
                continue
            taken.append(RemovedItem(label, self._now - used, cost))
        forget(self._db, keys)
        self._db.executemany("DELETE FROM objects WHERE name = ?", [(name,) for name in volumes])
        return taken, volumes

    def _release(self, key: str) -> bool:
        """Whether a result may go; then its objects have one user less."""
        names = [name for (name,) in self._db.execute("SELECT name FROM uses WHERE key = ?", (key,))]
        if not self._pinned.isdisjoint(names):
            return False
        for name in names:
            self._users[name] -= 1
            if not self._users[name]:
                self._over -= self._sizes.get(name, 0)
        return True


def _total(db: sqlite3.Connection) -> int:
    (total,) = db.execute("SELECT coalesce(sum(size), 0) FROM objects").fetchone()
    return int(total)


def _size(path: Path) -> int:
    """Bytes; a volume may change while it is measured, then nearly."""
    try:
        return measure(path).size
    except FileNotFoundError:
        return 0
