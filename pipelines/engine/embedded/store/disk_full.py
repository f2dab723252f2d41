"""Turns "no space left" from anywhere below into one clean error."""

from __future__ import annotations

import errno
import os
import sqlite3
from contextlib import contextmanager
from typing import TYPE_CHECKING

from pipelines.engine.embedded.errors import DiskFull

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_LITTLE = 64 * 1024  # bytes
_FULL = (errno.ENOSPC, errno.EDQUOT)


@contextmanager
def disk_full_errors(where: Path) -> Iterator[None]:
    """Raise `DiskFull` in place of the system's or SQLite's own error about a full disk or quota.

    Args:
        where: what was being written to, for the message.
    """
    try:
        yield
    except OSError as error:
        if error.errno in _FULL:
            raise disk_full(where) from error
        raise
    except sqlite3.OperationalError as error:
        if error.sqlite_errorcode == sqlite3.SQLITE_FULL or (
            error.sqlite_errorcode & 0xFF == sqlite3.SQLITE_IOERR and _nothing_left(where)
        ):
            raise disk_full(where) from error
        raise


def _nothing_left(where: Path) -> bool:
    """Whether the disk is full to the last block: then even SQLite's shared memory file cannot grow, which it calls an I/O error."""
    return os.statvfs(where).f_bavail == 0


def _is_full(where: Path) -> bool:
    """SQLite calls it an input/output error when it finds no room for its shared memory."""
    disk = os.statvfs(where)
    return disk.f_bavail * disk.f_frsize < _LITTLE


def disk_full(where: Path, needed: int | None = None) -> DiskFull:
    """The error for no space left on the disk of `where`, for so many bytes where that is known beforehand."""
    amount = f" for {needed} bytes" if needed is not None else ""
    return DiskFull(
        f"no space left on the disk of {where}{amount}: what was being written is discarded. If the engine's store is there, make room "
        "with `lockgate-engine gc` or `lockgate-engine prune`, or move it by LOCKGATE_STORE"
    )
