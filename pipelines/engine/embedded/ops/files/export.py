"""Out to the host: directories and files. Only paths the caller names are written, never through a link of the exported tree."""

from __future__ import annotations

import asyncio
import os
import shutil
import stat
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from pipelines.engine.embedded.errors import InvalidInput
from pipelines.engine.embedded.ops.files.changeset import paths
from pipelines.engine.embedded.ops.files.read import must_stat, within
from pipelines.engine.embedded.store.disk_full import disk_full_errors
from pipelines.engine.embedded.store.host.own_folders import own_folders
from pipelines.engine.embedded.store.trees.removing import remove_below
from pipelines.foundation.named_files import writing_named

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from pipelines.engine.embedded.ops.files.changeset import Changeset
    from pipelines.engine.embedded.ops.interface import ClientSession
    from pipelines.engine.embedded.ops.values.states import DirectoryState, FileState
    from pipelines.engine.embedded.store.trees.root import Root


async def export_directory(session: ClientSession, state: DirectoryState, path: str, *, wipe: bool) -> str:
    """Merge a directory into a folder of the host (made if missing); `wipe` empties it first. Returns the folder's absolute path."""
    target = session.host_path(path)
    await must_stat(session, state.op, state.path, state.path)
    await within(session, state.op, lambda root: _merge(root, state.path, target, wipe=wipe))
    return str(target)


def _merge(root: Root, source: str, target: Path, *, wipe: bool) -> None:
    from pipelines.engine.embedded.store.trees.copy import copy_tree
    from pipelines.engine.embedded.store.trees.root import Root

    with _path_errors(target):
        target.mkdir(parents=True, exist_ok=True)
        if wipe:
            empty(target, own_folders(target).paths)
    copy_tree(root, source, Root(target), "/", owner="caller")


def empty(folder: Path, kept: Sequence[Path]) -> None:
    """Remove all that is in a folder but the engine's own folders, and the folders they lie in."""
    for child in folder.iterdir():
        place = Path(os.path.realpath(child))
        if child.is_symlink() or not child.is_dir():
            child.unlink()
        elif place not in kept and any(one.is_relative_to(place) for one in kept):
            empty(child, kept)
        elif place not in kept:
            remove_below(str(child))
            child.rmdir()


@contextmanager
def _path_errors(target: Path) -> Iterator[None]:
    """A path of the host that cannot be written is the caller's mistake: said in a line, with the path that refuses."""
    with disk_full_errors(target.parent):
        try:
            yield
        except (FileExistsError, NotADirectoryError, IsADirectoryError, PermissionError) as error:
            raise InvalidInput(f"export to {target}: {error.filename or target}: {error.strerror}") from error


async def export_changes(session: ClientSession, changes: Changeset, path: str) -> str:
    """Do the changes to a folder of the host (made if missing). Returns the folder's absolute path."""
    target = session.host_path(path)
    removed = (await paths(session, changes)).removed
    await within(session, changes.layer().op, lambda root: _change(root, target, removed))
    return str(target)


def _change(layer: Root, target: Path, removed: Sequence[str]) -> None:
    from pipelines.engine.embedded.store.trees.root import Root

    with _path_errors(target):
        target.mkdir(parents=True, exist_ok=True)
    for rel in removed:
        Root(target).remove_tree(rel.rstrip("/"))
    _merge(layer, "/", target, wipe=False)


async def export_file(session: ClientSession, state: FileState, path: str, *, into: bool) -> str:
    """Write a file to the host: into what has the name there, a new one whole or not at all. Returns its absolute path.

    `into`: `path` may be a folder to put it into.
    """
    target = session.host_path(path)
    if await asyncio.to_thread(target.is_dir):
        if not into and not path.endswith("/"):
            raise InvalidInput(f"destination {str(target)!r} is a directory; must be a file path unless allowParentDirPath is set")
        target /= Path(state.path).name
    await within(session, state.op, lambda root: _write(root, state.path, target))
    return str(target)


def _write(root: Root, source: str, target: Path) -> None:
    mode = root.stat(source).st_mode & 0o777
    from pipelines.engine.embedded.store.trees.copyfile import copy_bytes

    with root.open(source) as file, _path_errors(target):
        target.parent.mkdir(parents=True, exist_ok=True)
        with writing_named(target, mode=mode) as out:
            if stat.S_ISREG(os.fstat(out.fileno()).st_mode):
                copy_bytes(file.fileno(), out.fileno(), os.fstat(file.fileno()).st_size)
            else:
                shutil.copyfileobj(file, out, 1 << 20)
