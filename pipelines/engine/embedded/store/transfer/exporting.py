"""Writing the cache out."""

from __future__ import annotations

import errno
import json
import os
import re
import shutil
from typing import TYPE_CHECKING, Any

from pipelines.engine.embedded.store.disk_full import disk_full_errors
from pipelines.engine.embedded.store.objects.workspace import VOLUMES
from pipelines.engine.embedded.store.transfer.archive import pack
from pipelines.engine.embedded.store.transfer.format import BLOCK, MANIFEST, OBJECTS, VERSION, HashingFile, Transfer
from pipelines.foundation.clock import unix_time
from pipelines.foundation.files import replace_text
from pipelines.foundation.regular_files import open_regular, reading

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterable
    from pathlib import Path

    from pipelines.engine.embedded.store.objects.pins import Pins
    from pipelines.engine.embedded.store.objects.workspace import Workspace

_OURS = re.compile(r"[0-9a-f]{64}|\..*\.part")  # names that an export gives: nothing else in the folder is ours to remove
_WANTED = "SELECT name, kind, key, size, plain FROM objects WHERE kind = 'volume' OR name IN (SELECT name FROM uses)"


def export_cache(workspace: Workspace, pins: Pins, folder: Path, *, mode: str) -> Transfer:
    """Write every result and what it needs, and all volumes, into `folder`; files an earlier export left that are not needed are removed.

    Volumes somebody writes to meanwhile are left out.

    Args:
        workspace: the session's.
        pins: hold what is being read.
        folder: where to; made if missing.
        mode: "root" or "rootless": layers of one are of no use to the other.
    """
    objects = folder / OBJECTS
    with disk_full_errors(folder):
        objects.mkdir(parents=True, exist_ok=True)
        with workspace.index.writing() as db:
            rows = db.execute(_WANTED).fetchall()
            pins.add(db, {row[0]: bool(row[4]) for row in rows})
            results = [*_results(db)]
        writer = _Writer(workspace, objects)
        entries = {row[0]: [*row[1:], digest] for row in rows if (digest := writer.write(row[0], row[1]))}
        wanted = {entry[-1] for entry in entries.values()}
        for path in objects.iterdir():
            if path.name not in wanted and _OURS.fullmatch(path.name) and not path.is_dir():
                path.unlink()
        kept = [result for result in results if all(name in entries for name in result["uses"])]
        replace_text(folder / MANIFEST, json.dumps({"version": VERSION, "mode": mode, "objects": entries, "results": kept}, indent=1))
    return Transfer(len(kept), len(entries), writer.written, tuple(writer.skipped))


def _results(db: sqlite3.Connection) -> Iterable[dict[str, Any]]:
    for key, payload, label, cost, used in db.execute("SELECT * FROM results").fetchall():
        uses = [name for (name,) in db.execute("SELECT name FROM uses WHERE key = ?", (key,))]
        aliases = [alias for (alias,) in db.execute("SELECT alias FROM aliases WHERE key = ?", (key,))]
        yield {"key": key, "payload": payload, "label": label, "cost": cost, "used": used, "uses": uses, "aliases": aliases}


class _Writer:
    """Writes objects as files named by their content."""

    def __init__(self, workspace: Workspace, target: Path) -> None:
        self._workspace = workspace
        self._target = target
        self.written = 0
        self.skipped: list[str] = []

    def write(self, name: str, kind: str) -> str:
        """The digest an object is found under; "" when it cannot be had."""
        note = f"archive:{name}"
        digest = self._noted(note) if kind == "layer" else ""
        if digest and (self._target / digest).exists():
            return digest
        source = self._workspace.root / name
        draft = self._target / f".{self._workspace.new_name()}.part"
        try:
            with os.fdopen(open_regular(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL), "wb") as file:
                out = HashingFile(file)
                if source.is_dir():
                    pack(source, out)
                else:
                    with reading(source) as content:
                        shutil.copyfileobj(content, out, BLOCK)
        except OSError as error:
            draft.unlink()
            if kind != "volume" or error.errno in {errno.ENOSPC, errno.EDQUOT}:
                raise
            self.skipped.append(f"cache volume {name.removeprefix(VOLUMES + '/')} changes while it is read: {error}")
            return ""
        if not (self._target / out.hexdigest()).exists():
            self.written += 1
        draft.replace(self._target / out.hexdigest())
        if kind == "layer":
            self._note(note, out.hexdigest())
        return out.hexdigest()

    def _noted(self, note: str) -> str:
        with self._workspace.index.reading() as db:
            row = db.execute("SELECT value FROM notes WHERE name = ?", (note,)).fetchone()
        return row[0] if row else ""

    def _note(self, note: str, digest: str) -> None:
        with self._workspace.index.writing() as db:
            db.execute("INSERT OR REPLACE INTO notes VALUES (?, ?, ?)", (note, digest, unix_time()))
