"""Locks between processes: flock on a file a key. The kernel releases them when the holder dies."""

from __future__ import annotations

import asyncio
import fcntl
import hashlib
import os
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

_SHORTEST, _LONGEST = 0.002, 0.05  # seconds between tries: no thread waits, so a waiter can be cancelled at any time


class Locks:
    """Named locks of one store.

    Args:
        folder: where the files are.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def path(self, key: str) -> Path:
        """The file of the lock `key`."""
        return self._folder / hashlib.sha256(key.encode()).hexdigest()

    @asynccontextmanager
    async def hold(self, key: str, *, shared: bool = False, keep: bool = False) -> AsyncIterator[None]:
        """Hold the lock `key` among all tasks of all processes.

        Args:
            key: any text.
            shared: together with other shared holders.
            keep: leave the file there afterwards: needed where some hold the lock shared.
        """
        path = self.path(key)
        pause = _SHORTEST
        while (fd := self.attempt(path, shared=shared)) is None:
            await asyncio.sleep(pause)
            pause = min(_LONGEST, pause * 1.5)
        try:
            yield
        finally:
            if not keep:
                path.unlink(missing_ok=True)
            os.close(fd)

    def attempt(self, path: Path, *, shared: bool = False) -> int | None:
        """The lock as an open file if it is free now, else None. Closing the file releases it."""
        fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(fd, (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(fd)
            return None
        if _is_at(fd, path):
            return fd
        os.close(fd)  # the last holder removed the file between our open and our lock
        return None


def _is_at(fd: int, path: Path) -> bool:
    try:
        there = path.stat()
    except FileNotFoundError:
        return False
    here = os.fstat(fd)
    return (here.st_dev, here.st_ino) == (there.st_dev, there.st_ino)
