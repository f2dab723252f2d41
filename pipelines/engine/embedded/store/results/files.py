"""Single files the store keeps: outputs of operations, and blobs named by their SHA-256."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from pipelines.engine.embedded.errors import InvalidInput
from pipelines.engine.embedded.store.disk_full import disk_full_errors
from pipelines.engine.embedded.store.objects.workspace import BLOBS, OUTPUTS
from pipelines.foundation.clock import unix_time
from pipelines.foundation.regular_files import reading

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable
    from pathlib import Path

    from pipelines.engine.embedded.store.objects.pins import Pins
    from pipelines.engine.embedded.store.objects.workspace import Workspace

_BLOCK = 1024 * 1024


class Outputs:
    """Files an operation writes, kept with its result."""

    def __init__(self, workspace: Workspace, pins: Pins) -> None:
        self._workspace = workspace
        self._pins = pins
        self._drafts = workspace.tmp / "outputs"
        self._drafts.mkdir()

    def new(self) -> Path:
        """A path to write a file at; its name is the output's name for good."""
        return self._drafts / self._workspace.new_name()

    def path(self, name: str) -> Path:
        """Where an output is, kept or not yet."""
        draft = self._drafts / name
        return draft if draft.exists() else self._workspace.root / OUTPUTS / name

    def keep(self, db: sqlite3.Connection, name: str) -> None:
        """Move an output that is not kept yet to its place."""
        draft = self._drafts / name
        if draft.exists():
            record(self._workspace, self._pins, db, draft, f"{OUTPUTS}/{name}")


class Blobs:
    """Files by digest (`sha256:…`)."""

    def __init__(self, workspace: Workspace, pins: Pins) -> None:
        self._workspace = workspace
        self._pins = pins

    def path(self, digest: str) -> Path:
        """Where the blob is or would be."""
        return self._workspace.root / blob_name(digest)

    def find(self, digest: str) -> Path | None:
        """The blob's file, pinned; None when the store has it not."""
        with self._workspace.index.reading() as db:
            row = db.execute("SELECT 1 FROM objects WHERE name = ?", (blob_name(digest),)).fetchone()
        if row is None:
            return None
        self._pins.hold([blob_name(digest)])
        return self.path(digest)

    def add(self, fill: Callable[[Path], object], digest: str | None = None) -> str:
        """Keep the file that `fill` writes at the path it is given; returns its digest.

        Raises:
            InvalidInput: it is not what `digest` says.
        """
        draft = self._workspace.tmp / self._workspace.new_name()
        try:
            with disk_full_errors(self._workspace.root):
                fill(draft)
                found = digest_file(draft)
            if digest is not None and found != digest:
                raise InvalidInput(f"a blob is damaged: expected {digest}, got {found}")
            with self._workspace.index.writing() as db:
                self._keep(db, draft, blob_name(found))
        finally:
            draft.unlink(missing_ok=True)
        return found

    def _keep(self, db: sqlite3.Connection, draft: Path, name: str) -> None:
        if db.execute("SELECT 1 FROM objects WHERE name = ?", (name,)).fetchone():
            self._pins.hold_in(db, [name])
            return
        (self._workspace.root / name).unlink(missing_ok=True)  # left by a process that died here
        record(self._workspace, self._pins, db, draft, name)


def record(workspace: Workspace, pins: Pins, db: sqlite3.Connection, draft: Path, name: str) -> None:
    """Move a finished file to its place and name it in the index; in one transaction, so that a sweep never sees one without the other."""
    size = draft.stat().st_blocks * 512
    workspace.publish(draft, name)
    db.execute("INSERT INTO objects VALUES (?, 'file', NULL, ?, 1, ?)", (name, size, unix_time()))
    pins.add(db, {name: True})


def blob_name(digest: str) -> str:
    """The object name of a blob. InvalidInput when `digest` is not `sha256:` and 64 hex digits."""
    algorithm, _, value = digest.partition(":")
    if algorithm != "sha256" or len(value) != 64 or not set(value) <= set("0123456789abcdef"):  # noqa: PLR2004 - hex digits of 256 bits
        raise InvalidInput(f"not a sha256 digest: {digest!r}")
    return f"{BLOBS}/{value}"


def digest_file(path: Path) -> str:
    """`sha256:…` of a file's content."""
    digest = hashlib.sha256()
    with reading(path) as file:
        while block := file.read(_BLOCK):
            digest.update(block)
    return f"sha256:{digest.hexdigest()}"
