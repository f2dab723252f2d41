"""Tar archives from outside, read so that none of them hangs the reader, fills its memory or its disk, or ends in an unexpected error.

`tarfile` believes what a header says. Here every header is looked at before anything is done with it, and what it says is compared with
limits: those of Go's archive/tar, which other tools for images use, and of the disk that is written to.
"""

from __future__ import annotations

import errno
import os
import re
import tarfile
from contextlib import contextmanager
from dataclasses import dataclass
from decimal import Decimal
from typing import IO, TYPE_CHECKING, Protocol, cast

from pipelines.engine.embedded.errors import EngineError

if TYPE_CHECKING:
    from collections.abc import Iterator

LONGEST_HEADER = 1 << 20  # bytes of an extended header, as in Go's archive/tar (maxSpecialFileSize)
LONGEST_MAP = 2 << 20  # bytes read for one member before its content: extended headers and the map of a sparse file
LONGEST_PATH = 4096  # characters; PATH_MAX of Linux, in bytes
MOST_RECORDS = 1000  # of an extended header; a file has a few extended attributes
MOST_DIGITS = 100  # in a row, in an extended header
MOST_SKIPPED = 64 << 20  # bytes of content that belongs to nothing that is written, in one archive
LARGEST = 1 << 40  # bytes of a layer, or of a file in one; what is said to be larger is not believed
LARGEST_ID = 2**32 - 2  # of a user or group: the last number means "no change"
LAST_SECOND = 2**40  # of a time; no file system reaches as far
IMPOSSIBLE = frozenset(
    {errno.ENOTDIR, errno.EISDIR, errno.ENAMETOOLONG, errno.ELOOP, errno.EINVAL, errno.EEXIST, errno.ENOENT, errno.EMLINK, errno.EFBIG}
)
"""What is wrong with the member, not with this machine."""
_DIGITS = re.compile(rb"[0-9]+")
SHOWN = 120  # characters of a name in a message


class Damaged(Exception):  # noqa: N818 - reads as a sentence where it is raised
    """What is read is not what it has to be. Whoever knows what it is a part of makes an `EngineError` of it."""


class TarSource(Protocol):
    """What `tarfile` reads from here; `begin` is told that another member comes."""

    def begin(self) -> None: ...

    def tell(self) -> int: ...


class ForwardReader:
    """Bytes to read from front to back, for `tarfile`, and to copy from without going through it.

    Args:
        blocks: the content.

    Attributes:
        latest: what was last read.
    """

    def __init__(self, blocks: Iterator[bytes]) -> None:
        self._source = blocks
        self._view = memoryview(b"")
        self._at = 0
        self._allowance = LONGEST_MAP
        self._skipped = 0
        self.latest = b""

    def begin(self) -> None:
        self._allowance = LONGEST_MAP

    def _more(self) -> bool:
        """Fetch the next block once the current one is used up; False at the end."""
        while not self._view:
            block = next(self._source, None)
            if block is None:
                return False
            self._view = memoryview(block)
        return True

    def _take(self, limit: int) -> memoryview:
        piece, self._view = self._view[:limit], self._view[limit:]
        self._at += len(piece)
        return piece

    def empty(self) -> bool:
        """Whether there is nothing more."""
        return not self._more()

    def tell(self) -> int:
        return self._at

    def read(self, size: int = -1) -> bytes:
        """Up to ``size`` bytes, fewer only at the end."""
        self._allowance -= _allowed(size, self._allowance)
        pieces = []
        while size and self._more():
            piece = self._take(size)
            pieces.append(piece)
            size -= len(piece)
        self.latest = _readable(b"".join(pieces))
        return self.latest

    def seek(self, position: int) -> int:
        """Skip to a later position."""
        if position < self._at:
            raise Damaged("its headers overlap")
        jump = position - self._at
        self._skipped += jump if jump > tarfile.BLOCKSIZE else 0  # else it is what fills up the last block of a file
        if self._skipped > MOST_SKIPPED:
            raise Damaged("it has content that belongs to nothing")
        while self._at < position and self._more():
            self._take(position - self._at)
        return self._at

    def copy(self, fd: int, size: int) -> int:
        """Write the next ``size`` bytes to a file; returns how many there were."""
        left = size
        while left > 0 and self._more():
            piece = self._take(left)
            left -= len(piece)
            while piece:
                piece = piece[os.write(fd, piece) :]
        return size - left

    def drain(self) -> None:
        """Read what is left."""
        left = MOST_SKIPPED
        while self._more():
            left -= len(self._take(len(self._view)))
            if left < 0:
                raise Damaged("it has data after its end")


class SeekableReader:
    """A file on the disk for `tarfile`, which reads headers of one whole archive first and contents later.

    Attributes:
        indexing: headers are being read.
    """

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self._allowance = LONGEST_MAP
        self.indexing = True

    def begin(self) -> None:
        self._allowance = LONGEST_MAP

    def tell(self) -> int:
        return self._file.tell()

    def seek(self, position: int, whence: int = os.SEEK_SET) -> int:
        if position < 0:
            raise Damaged("its headers overlap")
        return self._file.seek(position, whence)

    def read(self, size: int = -1) -> bytes:
        if not self.indexing:
            return self._file.read(size)
        self._allowance -= _allowed(size, self._allowance)
        return _readable(self._file.read(size))


def _allowed(size: int, allowance: int) -> int:
    if not 0 <= size <= min(allowance, LONGEST_HEADER + tarfile.BLOCKSIZE):
        raise Damaged(f"a header of {size} bytes" if size >= 0 else "a header with a negative size")
    return size


def _readable(header: bytes) -> bytes:
    """The header; refused where `tarfile` would look at it for very long (CVE-2024-6232: the square of a number's length)."""
    if len(header) > tarfile.BLOCKSIZE and max(map(len, _DIGITS.findall(header)), default=0) > MOST_DIGITS:
        raise Damaged(f"a header with a number of more than {MOST_DIGITS} digits")
    return header


@contextmanager
def opened(source: TarSource) -> Iterator[tarfile.TarFile]:
    """The archive, open; raises Damaged where it does not begin as one. An empty source is an empty archive."""
    with parsing():
        source.begin()
        tar = tarfile.TarFile(fileobj=cast("IO[bytes]", source))
    with tar:
        yield tar


def members(tar: tarfile.TarFile, source: TarSource, *, most: int) -> Iterator[tarfile.TarInfo]:
    """The members one after the other, each looked at before it is handed out.

    Args:
        tar: open for reading.
        source: what it reads from.
        most: how many there may be.

    Raises:
        Damaged: a header is not what it has to be, or there are too many.
    """
    last = -1
    for _ in range(most):
        source.begin()
        try:
            member = tar.next()
        except Exception as error:  # noqa: BLE001 - as in `parsing`, which costs more
            raise _understood(error) from None
        if member is None:
            return
        if member.offset <= last:
            raise Damaged("its headers overlap")
        last = member.offset
        if problem := _problem(member):
            raise Damaged(f"{shown(member.name)}: {problem}")
        yield member
    raise Damaged(f"it has more than {most} members")


@contextmanager
def parsing() -> Iterator[None]:
    """Whatever `tarfile` raises over bytes it cannot read is one error: it has no common base for them."""
    try:
        yield
    except Exception as error:  # noqa: BLE001 - of struct, of conversions, of recursion
        raise _understood(error) from None


def _understood(error: Exception) -> Exception:
    return error if isinstance(error, Damaged | EngineError | OSError) else Damaged(str(error) or type(error).__name__)


def _problem(member: tarfile.TarInfo) -> str:
    """What cannot be true, if anything; the usual case is one comparison of each."""
    if "\0" in member.name or "\0" in member.linkname:
        return "a name with a zero byte"
    if len(member.name) > LONGEST_PATH or len(member.linkname) > LONGEST_PATH:
        return f"a name of more than {LONGEST_PATH} characters"
    if not (0 <= member.size < 2**63 and 0 <= member.uid <= LARGEST_ID and 0 <= member.gid <= LARGEST_ID and 0 <= member.mode < 2**32):
        return f"a size of {_brief(member.size)}, a mode of {_brief(member.mode)}, an owner of {_brief(member.uid)}:{_brief(member.gid)}"
    if not (0 <= member.devmajor < 2**32 and 0 <= member.devminor < 2**32):
        return "a device number out of range"
    if len(member.pax_headers) > MOST_RECORDS:
        return f"an extended header of more than {MOST_RECORDS} records"
    return "a map of holes that does not fit" if member.issparse() and not _fits(member) else ""


def _fits(member: tarfile.TarInfo) -> bool:
    """Whether what a sparse file holds is in order, and within its size."""
    at = 0
    for offset, size in chunks(member):
        if offset < at or size < 0 or offset + size > member.size:
            return False
        at = offset + size
    return True


def chunks(member: tarfile.TarInfo) -> list[tuple[int, int]]:
    """Offset and size of what a sparse file holds between its holes; the content follows in this order."""
    found = cast("list[tuple[int, int]]", member.sparse)
    return [(offset, size) for offset, size in found if size]


def nanoseconds(member: tarfile.TarInfo) -> int:
    """A member's time of change; tarfile's own number has lost the last digits.

    Raises:
        Damaged: it is not a time.
    """
    text = member.pax_headers.get("mtime")
    try:
        if text is None and abs(member.mtime) < LAST_SECOND:
            return int(member.mtime) * 10**9
        if text and abs(seconds := Decimal(text)) < LAST_SECOND:
            return int(seconds * 10**9)
    except (ArithmeticError, ValueError):
        pass
    raise Damaged(f"{shown(member.name)}: not a time of change: {shown(text or str(member.mtime))}")


def shown(name: str) -> str:
    """A name from an archive in a message: one line, only characters that can be printed, not too long."""
    clean = "".join(sign if sign.isprintable() else sign.encode("unicode_escape").decode() for sign in name[: SHOWN + 1])
    return clean if len(name) <= SHOWN else f"{clean[:SHOWN]}…"


def _brief(number: int) -> str:
    return str(number) if abs(number) < 10**20 else "more than 20 digits"


@dataclass(frozen=True, slots=True)
class Room:
    """What a disk has.

    Attributes:
        free: bytes that this user may still write.
        files: how many files may still be made.
    """

    free: int
    files: int

    @classmethod
    def at(cls, folder: str) -> Room:
        """Of the disk that a folder is on."""
        disk = os.statvfs(folder)
        files = disk.f_favail if disk.f_files else 2**40  # file systems that make inodes as they need them say 0
        return cls(disk.f_bavail * disk.f_frsize, files)
