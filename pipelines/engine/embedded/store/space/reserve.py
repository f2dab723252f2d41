"""A little room kept on the store's disk, so that there is a way out when it is full: cleaning up has to write before it can remove."""

from __future__ import annotations

import os
from contextlib import suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

RESERVE = 4 << 20  # bytes; a session with ten thousand results is forgotten in less


class Reserve:
    """A file that takes up room, to be given up when there is no other.

    Args:
        root: the store's root.
    """

    def __init__(self, root: Path) -> None:
        self._path = root / "reserve"

    def keep(self) -> None:
        """Take the room, if it is not taken and there is enough."""
        try:
            fd = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        except FileExistsError:
            return
        except OSError:
            return  # no room even for a name
        try:
            os.posix_fallocate(fd, 0, RESERVE)
        except OSError:
            self.release()
        finally:
            os.close(fd)

    def release(self) -> bool:
        """Give the room up; whether there was any."""
        with suppress(FileNotFoundError):
            self._path.unlink()
            return True
        return False
