"""Folders in which no store can be, said in one sentence with the way out."""

from __future__ import annotations

import errno
import os
import secrets
import sqlite3
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

from pipelines.engine.embedded.errors import EmbeddedUnavailable

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

WHAT_TO_DO = "set LOCKGATE_STORE to a folder that you own, on a local disk"
_REASONS = {
    errno.EROFS: "its file system is read-only",
    errno.EACCES: "permission denied; it may belong to another user",
    errno.EPERM: "permission denied; it may belong to another user",
    errno.EEXIST: "it is not a folder",
    errno.ENOTDIR: "it, or what it is in, is not a folder",
    errno.EISDIR: "there is a folder in the place of a file",
    errno.ELOOP: "it is a symbolic link that leads in a circle",
    errno.ENAMETOOLONG: "its path is too long",
    errno.ENOTSUP: "its file system has no extended attributes",
    errno.ENOLCK: "its file system has no locks",
}


@contextmanager
def usable(root: Path) -> Iterator[None]:
    """Raise `EmbeddedUnavailable` in place of the system's or SQLite's own error about a store that cannot be opened."""
    try:
        yield
    except OSError as error:
        raise _unusable(root, _REASONS.get(error.errno or 0) or str(error)) from error
    except ValueError as error:  # a zero byte in the path
        raise _unusable(root, str(error)) from error
    except sqlite3.Error as error:
        raise _unusable(root, f"its index: {error}") from error


def check_attributes(folder: Path, mark: str) -> None:
    """Try the extended attribute that overlayfs needs.

    Raises:
        OSError: the file system has none.
    """
    probe = folder / f"probe-{secrets.token_hex(4)}"
    probe.mkdir(mode=0o700)
    try:
        with suppress(PermissionError):  # an ordinary user who opens a store of root's mode, as tests do
            os.setxattr(probe, mark, b"n")
    finally:
        probe.rmdir()


def _unusable(root: Path, reason: str) -> EmbeddedUnavailable:
    return EmbeddedUnavailable(f"the engine's store {str(root)!r} cannot be used: {reason}; {WHAT_TO_DO}")
