"""Opening a store: folders, index, registration of the session, and the sweep of what dead sessions left."""

from __future__ import annotations

import sqlite3
import threading
import time
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pipelines.engine.embedded.errors import EmbeddedUnavailable
from pipelines.engine.embedded.store.objects.index import Index, VersionError
from pipelines.engine.embedded.store.objects.sessions import StoreSession, StoreSessions
from pipelines.engine.embedded.store.objects.workspace import KINDS, Workspace
from pipelines.engine.embedded.store.overlay import OverlayMounts
from pipelines.engine.embedded.store.space.reserve import Reserve
from pipelines.engine.embedded.store.space.sweep import delete_unused, sweep
from pipelines.engine.embedded.store.trees.removing import remove
from pipelines.engine.embedded.store.usable import WHAT_TO_DO, check_attributes

if TYPE_CHECKING:
    from pathlib import Path

PATIENCE = 2.0  # seconds that a session's end waits for the removal of leftovers; the next session goes on with them
_FOLDERS = (*KINDS, "tmp", "locks/sessions", "locks/keys")


@dataclass
class OpenedStore:
    """A session's hold on a store."""

    workspace: Workspace
    sessions: StoreSessions
    session: StoreSession
    sweeping: threading.Thread
    enough: threading.Event

    def release(self) -> None:
        """Drop the session's pins, and what only they held. What dead sessions left may be more than a session's end has time for."""
        self.sweeping.join(PATIENCE)
        self.enough.set()
        self.sweeping.join()
        with self.workspace.index.writing() as db:
            db.execute("DELETE FROM pins WHERE session = ?", (self.session.token,))
            unused = delete_unused(db)
        for name in unused:
            self.workspace.remove(self.workspace.root / name)

    def close(self) -> None:
        """Let go of the store; its pins were released. What cannot be removed now is for the next session to sweep."""
        self.workspace.index.close()
        self.workspace.overlay.close()
        until = time.monotonic() + PATIENCE
        with suppress(OSError):
            remove(self.workspace.tmp, self.workspace.root / "tmp", lambda: time.monotonic() > until)
        self.session.end()


def open_place(root: Path, *, rootless: bool, scarce: bool) -> OpenedStore:
    """Open the store at `root` and start sweeping in the background.

    Args:
        root: the store's folder.
        rootless: this process is in a user namespace.
        scarce: spend the reserve, so that room can be made on a disk that is full.
    """
    root.mkdir(mode=0o700, parents=True, exist_ok=True)
    if scarce:
        Reserve(root).release()
    else:
        Reserve(root).keep()
    for folder in _FOLDERS:
        (root / folder).mkdir(parents=True, exist_ok=True)
    sessions = StoreSessions(root / "locks" / "sessions")
    with ExitStack() as undo, sessions.exclusive():
        sessions.remove_dead()
        index = _index(root, sessions.tokens())
        undo.callback(index.close)
        _check_mode(index, root, "rootless" if rootless else "root")
        session = sessions.register()
        undo.callback(session.end)
        workspace = Workspace(root, session.token, index, OverlayMounts(root, rootless=rootless))
        check_attributes(workspace.tmp, workspace.overlay.opaque_mark)
        leftovers = sweep(workspace, sessions.tokens())
        undo.pop_all()
    enough = threading.Event()
    sweeping = threading.Thread(target=_remove, args=(workspace, leftovers, enough), name="store-sweep", daemon=True)
    sweeping.start()
    return OpenedStore(workspace, sessions, session, sweeping, enough)


def _index(root: Path, alive: set[str]) -> Index:
    """The index; a new one when what is there cannot be used and nobody uses it."""
    path = root / "index.db"
    try:
        return Index(path)
    except VersionError as error:
        if error.newer:
            raise EmbeddedUnavailable(f"the engine's store {root} {error}: use that version or a later one; or {WHAT_TO_DO}") from None
        reason = str(error)
    except sqlite3.OperationalError:
        raise
    except sqlite3.DatabaseError as error:
        reason = f"is damaged ({error})"
    if alive:
        raise EmbeddedUnavailable(
            f"the engine's store {root} {reason}, and sessions use it: end them, or set LOCKGATE_STORE to another folder"
        )
    for suffix in ("", "-wal", "-shm"):
        path.with_name(path.name + suffix).unlink(missing_ok=True)
    return Index(path)


def _check_mode(index: Index, root: Path, mode: str) -> None:
    """A store is for one mode: the marks in its layers are other ones in the other."""
    with index.writing() as db:
        db.execute("INSERT OR IGNORE INTO notes VALUES ('mode', ?, 0)", (mode,))
        (made,) = db.execute("SELECT value FROM notes WHERE name = 'mode'").fetchone()
    if made != mode:
        raise EmbeddedUnavailable(
            f"the engine's store {root} was made in {made} mode, and this engine runs in {mode} mode: set LOCKGATE_STORE to another folder"
        )


def _remove(workspace: Workspace, leftovers: list[Path], enough: threading.Event) -> None:
    for path in leftovers:
        if enough.is_set():
            return
        with suppress(OSError):  # somebody's process still uses it: the next session tries again
            workspace.remove(path, enough.is_set)
