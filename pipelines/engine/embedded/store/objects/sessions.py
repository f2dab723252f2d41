"""Which sessions use the store now. A session is a locked file: the kernel drops the lock when its process ends, however it ends."""

from __future__ import annotations

import fcntl
import os
import secrets
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_ALPHABET = "abcdefghijklmnopqrstuvwxyz234567"
_TOKEN = 7  # characters, 35 bits: names begin with it, so it is short (a mount names 128 layers in a page), yet never met twice


class StoreSessions:
    """The sessions of one store.

    Args:
        folder: where the lock files are; one file a session, named by its token.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._folder_lock = folder / ".lock"

    @contextmanager
    def exclusive(self) -> Iterator[None]:
        """Hold off other processes that open the store or look for dead sessions."""
        fd = os.open(self._folder_lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(fd, fcntl.LOCK_EX)
            yield
        finally:
            os.close(fd)

    def register(self) -> StoreSession:
        """A new session of this process. Call within `exclusive`."""
        while True:
            token = "".join(secrets.choice(_ALPHABET) for _ in range(_TOKEN))
            try:
                fd = os.open(self.folder / token, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
            except FileExistsError:
                continue
            fcntl.flock(fd, fcntl.LOCK_EX)
            return StoreSession(token, self.folder / token, fd)

    def remove_dead(self) -> None:
        """Remove the files of sessions whose process is gone. Call within `exclusive`."""
        for token in self.tokens():
            if not self._locked(token):
                (self.folder / token).unlink(missing_ok=True)

    def tokens(self) -> set[str]:
        """Sessions that have a file: after `remove_dead`, those alive."""
        return {path.name for path in self.folder.iterdir() if not path.name.startswith(".")}

    def _locked(self, token: str) -> bool:
        try:
            fd = os.open(self.folder / token, os.O_RDWR | os.O_CLOEXEC)
        except FileNotFoundError:
            return False
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        finally:
            os.close(fd)
        return False


class StoreSession:
    """This process's own registration, alive until `end` or the process's death."""

    def __init__(self, token: str, path: Path, fd: int) -> None:
        self.token = token
        self._path = path
        self._fd = fd

    def end(self) -> None:
        """Remove the registration: others may sweep what this session left."""
        self._path.unlink(missing_ok=True)
        os.close(self._fd)
