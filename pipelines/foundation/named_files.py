"""Files that a person named to be written: into what has the name, never instead of it."""

from __future__ import annotations

import contextlib
import errno
import io
import os
import select
import stat
import time
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from pipelines.foundation.files import replacing

if TYPE_CHECKING:
    from collections.abc import Iterator

READER_S = 30.0
"""Seconds a pipe may have no reader, or one that does not read."""
_LOOK_S = 0.05


@contextlib.contextmanager
def writing_named(path: Path, *, mode: int | None = None) -> Iterator[IO[bytes]]:
    """A file object for what a person wants to have in the file that he named.

    A link is followed. A device (`/dev/null`) and a pipe (`>(command)`) are written into. A file of another owner, one with several names,
    and one in a folder that cannot be written are written in place; any other file, and a new one, is seen whole or not at all.

    Args:
        path: the file.
        mode: permissions it gets; None: those it has, 0644 for a new one. Those of devices and pipes stay.

    Raises:
        TimeoutError: the pipe has no reader within 30 s, or one that does not read for so long.
        OSError: it cannot be written; IsADirectoryError for a folder.
    """
    target, there = Path(os.path.realpath(path)), _facts(path)
    if there is not None and stat.S_ISDIR(there.st_mode):
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(path))
    if there is None or _is_replaceable(target, there):
        kept = 0o644 if there is None else stat.S_IMODE(there.st_mode)
        with replacing(target, mode=kept if mode is None else mode) as file:
            yield file
        return
    with _Patient(path) as raw:
        if stat.S_ISREG(os.fstat(raw.fileno()).st_mode):
            os.ftruncate(raw.fileno(), 0)
            if mode is not None and there.st_uid == os.geteuid():
                os.fchmod(raw.fileno(), mode)
        with io.BufferedWriter(raw) as file:
            yield file


def write_named(path: Path, data: bytes) -> None:
    """Write `data` into the file that a person named. Raises: as `writing_named`."""
    with writing_named(path) as file:
        file.write(data)


def _facts(path: Path) -> os.stat_result | None:
    try:
        return path.stat()
    except FileNotFoundError:
        return None


def _is_replaceable(path: Path, facts: os.stat_result) -> bool:
    alone = stat.S_ISREG(facts.st_mode) and facts.st_nlink == 1 and facts.st_uid == os.geteuid()
    return alone and os.access(path.parent, os.W_OK)


class _Patient(io.RawIOBase):
    """What has the name, open to be written; a pipe is waited for, but not for ever."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._fd = -1
        deadline = time.monotonic() + READER_S
        while self._fd < 0:
            try:
                self._fd = os.open(path, os.O_WRONLY | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC)
            except OSError as error:
                if error.errno != errno.ENXIO or not path.is_fifo():  # a pipe that nobody has opened to read
                    raise
                self._check(deadline)
                time.sleep(_LOOK_S)

    def writable(self) -> bool:
        return True

    def fileno(self) -> int:
        return self._fd

    def write(self, data: Any) -> int:
        deadline = time.monotonic() + READER_S
        while True:
            try:
                return os.write(self._fd, data)
            except BlockingIOError:
                self._check(deadline)
                select.select([], [self._fd], [], 1.0)

    def close(self) -> None:
        if not self.closed:
            super().close()
            if self._fd >= 0:
                os.close(self._fd)

    def _check(self, deadline: float) -> None:
        if time.monotonic() > deadline:
            raise TimeoutError(errno.ETIMEDOUT, f"no program has read from this pipe for {READER_S:g} s", str(self._path))
