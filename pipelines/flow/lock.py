"""One run at a time in a project's folder."""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import time
from typing import TYPE_CHECKING

from pipelines.errors import Unavailable
from pipelines.foundation.regular_files import open_regular

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_TRIES, _PAUSE_S = 5, 0.02


@contextlib.contextmanager
def run_lock(path: Path) -> Iterator[None]:
    """Hold the lock file; the kernel lets go of it when the process ends, however it ends.

    Raises:
        Unavailable: another run holds it, or the file cannot be opened.
    """
    try:
        descriptor = open_regular(path, os.O_RDWR | os.O_CREAT, 0o644)
    except OSError as error:
        fix = "work in a copy that can be written" if error.errno == errno.EROFS else "correct its owner and mode"
        raise Unavailable(f"{path} cannot be opened: {error.strerror}", next_step=fix) from error
    try:
        _take(descriptor, path)
        yield
    finally:
        os.close(descriptor)


def is_locked(path: Path) -> bool:
    """Whether a run is at work where the lock file is."""
    try:
        descriptor = open_regular(path, os.O_RDONLY)
    except OSError:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except OSError as error:
        return isinstance(error, BlockingIOError)
    finally:
        os.close(descriptor)
    return False


def _attempt(descriptor: int) -> None:
    """Take the lock; tried again for a moment, in which somebody may only look whether it is held.

    Raises:
        BlockingIOError: somebody holds it.
    """
    for _ in range(_TRIES - 1):
        with contextlib.suppress(BlockingIOError):
            return fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        time.sleep(_PAUSE_S)
    return fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)


def _take(descriptor: int, path: Path) -> None:
    try:
        _attempt(descriptor)
    except BlockingIOError:
        holder = os.read(descriptor, 20).decode(errors="replace").strip()
        who = f" (process {holder})" if holder.isdigit() else ""
        raise Unavailable(
            f"another run is at work in {path.parent.parent}{who}", next_step="wait for it to end, or stop it, then run again"
        ) from None
    except OSError as error:
        raise Unavailable(
            f"{path} cannot be locked: {error.strerror}",
            cause="its file system does not support locks",
            next_step="put the project on a local disk",
        ) from error
    # A run that cannot note its number (a full disk) still holds the lock.
    with contextlib.suppress(OSError):
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, f"{os.getpid()}\n".encode(), 0)
