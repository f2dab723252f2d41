"""Files opened only if they are regular: never a device, a named pipe or a socket.

A device node or a pipe in a place where a file is expected is a mistake or an attack: reading a device reads the machine's disk, opening a
pipe waits for its other end for ever. So the type is looked at before a file is opened (to open some devices already does something), the
file is opened without blocking, and its type is checked again on the descriptor (what has the name may have changed between the two).
"""

from __future__ import annotations

import errno
import io
import os
import select
import stat
import time
from typing import TYPE_CHECKING, BinaryIO

if TYPE_CHECKING:
    from pathlib import Path

    Name = str | Path

SAFE = os.O_NONBLOCK | os.O_CLOEXEC | os.O_NOCTTY
PIPE_DEADLINE_S = 30.0
LARGEST_PIPE = 64 << 20  # bytes
_BLOCK = 1 << 20
_KINDS = (
    (stat.S_ISDIR, "a folder"),
    (stat.S_ISLNK, "a symbolic link"),
    (stat.S_ISFIFO, "a named pipe"),
    (stat.S_ISSOCK, "a socket"),
    (stat.S_ISBLK, "a block device"),
    (stat.S_ISCHR, "a character device"),
)


class NotRegularError(OSError):
    """What has the name is not a regular file. `errno` is EISDIR for a folder, ELOOP for a link, EINVAL for everything else."""


def open_regular(path: Name, flags: int = os.O_RDONLY, mode: int = 0o666, *, dir_fd: int | None = None, follow: bool = False) -> int:
    """open(2) of a regular file; the caller closes the descriptor, which no program started later inherits.

    Args:
        path: of the file.
        flags: as of open(2); O_TRUNC empties the file after its type was checked.
        mode: permissions of a file that O_CREAT makes, less the umask.
        dir_fd: the open folder that `path` is relative to.
        follow: whether a symbolic link as the last part of `path` is followed. Only where no foreigner wrote the folder.

    Raises:
        NotRegularError: it is something else.
        OSError: it cannot be opened.
    """
    try:
        _check(path, os.stat(path, dir_fd=dir_fd, follow_symlinks=follow).st_mode)
    except FileNotFoundError:
        if not flags & os.O_CREAT:
            raise
    wanted = flags & ~os.O_TRUNC | SAFE | (0 if follow else os.O_NOFOLLOW)
    fd = os.open(path, wanted, mode, dir_fd=dir_fd)
    try:
        _check(path, os.fstat(fd).st_mode)
        if flags & os.O_TRUNC:
            os.ftruncate(fd, 0)
    except BaseException:
        os.close(fd)
        raise
    return fd


def reading(path: Name, *, follow: bool = False) -> BinaryIO:
    """A regular file to read, as a file object. Raises: as `open_regular`."""
    return os.fdopen(open_regular(path, follow=follow), "rb")


def read_bytes(path: Name, *, follow: bool = True) -> bytes:
    """All bytes of a regular file. Raises: as `open_regular`."""
    with reading(path, follow=follow) as file:
        return file.read()


def read_text(path: Name, *, encoding: str = "utf-8", errors: str = "strict", follow: bool = True) -> str:
    """The text of a regular file, its lines ended by LF alone, as `Path.read_text` gives it.

    Raises:
        NotRegularError: it is something else.
        OSError: it cannot be read.
        UnicodeDecodeError: it is not in that encoding, and `errors` is strict.
    """
    with io.TextIOWrapper(reading(path, follow=follow), encoding=encoding, errors=errors) as file:
        return file.read()


def read_named(path: Name, *, deadline_s: float = PIPE_DEADLINE_S) -> bytes:
    """All bytes of a file that a person named: a regular file, or a pipe as a shell's `<(command)` makes one.

    Of a pipe at most 64 MiB are read, and its writer must have ended after `deadline_s` seconds. `/dev/null` is an empty file.

    Raises:
        NotRegularError: it is neither.
        TimeoutError: the writer of the pipe has not ended in time.
        OSError: it cannot be read.
    """
    info = os.stat(path)  # noqa: PTH116 - a string or a path
    if stat.S_ISCHR(info.st_mode) and info.st_rdev == os.stat(os.devnull).st_rdev:  # noqa: PTH116 - as above
        return b""
    if not stat.S_ISFIFO(info.st_mode):
        return read_bytes(path)
    fd = os.open(path, os.O_RDONLY | SAFE)
    try:
        if stat.S_ISFIFO(os.fstat(fd).st_mode):
            return _piped(path, fd, time.monotonic() + deadline_s, deadline_s)
    finally:
        os.close(fd)
    raise NotRegularError(errno.EINVAL, "it changes while it is opened", str(path))


def _piped(path: Name, fd: int, deadline: float, seconds: float) -> bytes:
    poll = select.poll()
    poll.register(fd, select.POLLIN)
    data = bytearray()
    while (left := deadline - time.monotonic()) > 0:
        ready = poll.poll(min(left, 0.1) * 1000)
        try:
            block = os.read(fd, _BLOCK)
        except BlockingIOError:
            continue  # a writer is there, and has written nothing yet
        data += block
        if len(data) > LARGEST_PIPE:
            raise OSError(errno.EFBIG, f"more than {LARGEST_PIPE >> 20} MiB came through the pipe", str(path))
        if not block and (data or ready):
            return bytes(data)
    raise TimeoutError(errno.ETIMEDOUT, f"the writer of this pipe has not ended after {seconds:g} s", str(path))


def _check(path: Name, mode: int) -> None:
    if stat.S_ISREG(mode):
        return
    kind = next((name for test, name in _KINDS if test(mode)), "something else")
    number = errno.EISDIR if stat.S_ISDIR(mode) else errno.ELOOP if stat.S_ISLNK(mode) else errno.EINVAL
    raise NotRegularError(number, f"not a regular file but {kind}", str(path))
