"""Sweeping: what dead sessions left behind, and what nothing names any more."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from pipelines.engine.embedded.store.objects.workspace import KINDS

if TYPE_CHECKING:
    import sqlite3
    from pathlib import Path

    from pipelines.engine.embedded.store.objects.workspace import Workspace

_UNUSED = """
DELETE FROM objects WHERE kind != 'volume'
AND name NOT IN (SELECT name FROM uses) AND name NOT IN (SELECT name FROM pins) RETURNING name
"""


def unpin_dead(db: sqlite3.Connection, alive: set[str]) -> bool:
    """Drop the pins of sessions that are gone; whether there were any."""
    dead = [(token,) for (token,) in db.execute("SELECT DISTINCT session FROM pins").fetchall() if token not in alive]
    db.executemany("DELETE FROM pins WHERE session = ?", dead)
    return bool(dead)


def delete_unused(db: sqlite3.Connection) -> list[str]:
    """Delete objects that no result uses and no session holds from the index; the caller removes their files."""
    return [name for (name,) in db.execute(_UNUSED).fetchall()]


def orphans(db: sqlite3.Connection, root: Path) -> list[str]:
    """Files in the objects' folders that the index does not know. Call in a transaction: an object is named in the one that moves it."""
    known = {name for (name,) in db.execute("SELECT name FROM objects")}
    found = [f"{kind}/{name}" for kind in KINDS for name in os.listdir(root / kind)]
    return [name for name in found if name not in known]


def dead_folders(root: Path, alive: set[str]) -> list[Path]:
    """Work folders of sessions that are gone."""
    return [root / "tmp" / name for name in os.listdir(root / "tmp") if name not in alive]


def sweep(workspace: Workspace, alive: set[str]) -> list[Path]:
    """Everything that may go, already deleted from the index. `alive`: the sessions there were before this call, dead ones removed."""
    folders = dead_folders(workspace.root, alive)
    with workspace.index.writing() as db:
        if not unpin_dead(db, alive) and not folders:
            return []
        delete_unused(db)
        return [*folders, *(workspace.root / name for name in orphans(db, workspace.root))]
