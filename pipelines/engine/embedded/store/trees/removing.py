"""Removing trees."""

from __future__ import annotations

import errno
import os
import secrets
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


def never() -> bool:
    """Nobody wants to stop."""
    return False


def remove(path: Path, spare: Path, stop: Callable[[], bool] = never) -> None:
    """Remove a file or a tree of any depth; not on an overlay mount, where folders cannot be moved.

    Args:
        path: what to remove.
        spare: a folder of the same file system; subfolders pass through it, so depth costs neither stack nor path length.
        stop: asked before each folder; once it says so, the rest stays where it is by then, in `path` and in `spare`.
    """
    if not _unlink(path):
        return
    pending = [path]
    while pending and not stop():
        folder = pending.pop()
        for entry in _entries(folder):
            if entry.is_dir(follow_symlinks=False):
                flat = spare / f"gone-{secrets.token_hex(8)}"
                _movable(entry.path)
                os.rename(entry.path, flat)
                pending.append(flat)
            else:
                os.unlink(entry.path)
        folder.rmdir()


def _unlink(path: Path) -> bool:
    """Remove a file; whether it is a folder instead."""
    try:
        path.unlink()
    except IsADirectoryError:
        return True
    except PermissionError:
        if not path.is_dir():
            raise
        return True
    return False


def _entries(folder: Path) -> list[os.DirEntry[str]]:
    try:
        with os.scandir(folder) as found:
            return list(found)
    except PermissionError:
        folder.chmod(0o700)
        with os.scandir(folder) as found:
            return list(found)


def _movable(path: str) -> None:
    """Without privilege, who moves a folder has to be able to write to it."""
    if not os.access(path, os.W_OK | os.X_OK):
        try:
            os.chmod(path, 0o700)
        except OSError as error:
            if error.errno != errno.EPERM:
                raise


def remove_below(folder: str) -> bool:
    """Remove everything in a folder; whether there was something. Deepest paths may have 4,096 bytes."""
    folders = [folder]
    for current in folders:
        with os.scandir(current) as entries:
            for entry in entries:
                if entry.is_dir(follow_symlinks=False):
                    folders.append(entry.path)
                else:
                    os.unlink(entry.path)
    for current in reversed(folders[1:]):
        os.rmdir(current)
    return len(folders) > 1
