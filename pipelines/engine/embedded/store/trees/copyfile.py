"""Copies of single files with all that belongs to them: mode, owner, times, extended attributes."""

from __future__ import annotations

import errno
import os
import stat
from typing import TYPE_CHECKING, NamedTuple

from pipelines.engine.embedded.store.trees.measure import MARKS, xattrs
from pipelines.foundation.regular_files import open_regular

if TYPE_CHECKING:
    from collections.abc import Callable

_SMALL = 128 * 1024  # bytes up to which one read and one write beat asking the kernel to copy
_BLOCK = 1 << 20
_CANNOT = (errno.EXDEV, errno.EINVAL, errno.ENOSYS, errno.EOPNOTSUPP, errno.EPERM, errno.EBADF, errno.ETXTBSY)


class MetadataChange(NamedTuple):
    """How a copy is to differ from its source.

    Attributes:
        owner: (uid, gid) to give; None: the source's.
        mode: permission bits to give, links excepted, or what makes them of the source's st_mode; None: the source's.
        xattrs: whether extended attributes are copied.
        bits: the mode bits that are kept at all.
    """

    owner: tuple[int, int] | None = None
    mode: int | Callable[[int], int] | None = None
    xattrs: bool = True
    bits: int = 0o7777

    def apply(self, path: str) -> None:
        """Give `path` the owner and mode, where one is given."""
        if self.owner is not None:
            os.chown(path, *self.owner, follow_symlinks=False)
        if self.mode is not None:
            os.chmod(path, self.permissions(os.stat(path).st_mode))

    def permissions(self, mode: int) -> int:
        """The permission bits for the copy of a file that has the st_mode `mode`."""
        wanted = stat.S_IMODE(mode) if self.mode is None else self.mode if isinstance(self.mode, int) else self.mode(mode)
        return wanted & self.bits


UNCHANGED = MetadataChange()


def copy_entry(source: str, target: str, info: os.stat_result, change: MetadataChange = UNCHANGED) -> None:
    """Copy a file that is not a folder, whatever its type, to where nothing is yet.

    Args:
        source: path of the file; a symbolic link is copied, not followed.
        target: path of the copy.
        info: lstat of the source.
        change: owner and mode to give.

    Raises:
        OSError: EPERM for a device without the privilege to make one.
    """
    if stat.S_ISREG(info.st_mode):
        _copy_content(source, target, info.st_size)
    elif stat.S_ISLNK(info.st_mode):
        os.symlink(os.readlink(source), target)
    elif stat.S_ISSOCK(info.st_mode):  # nobody listens at a copy, and no image can hold one: an empty file, as BuildKit has it
        os.close(open_regular(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
    else:
        os.mknod(target, info.st_mode, info.st_rdev)
    copy_metadata(source, target, info, change)


def copy_metadata(source: str, target: str, info: os.stat_result, change: MetadataChange = UNCHANGED) -> None:
    """Give `target` the owner, mode, extended attributes and times of `source`, overlayfs's own marks left out."""
    uid, gid = change.owner or (info.st_uid, info.st_gid)
    os.chown(target, uid, gid, follow_symlinks=False)
    if not stat.S_ISLNK(info.st_mode):
        os.chmod(target, change.permissions(info.st_mode))
    if change.xattrs:
        _copy_xattrs(source, target)
    os.utime(target, ns=(info.st_atime_ns, info.st_mtime_ns), follow_symlinks=False)


def _copy_xattrs(source: str, target: str) -> None:
    for name in xattrs(source):
        if not name.startswith(MARKS):
            value = os.getxattr(source, name, follow_symlinks=False)
            try:
                os.setxattr(target, name, value, follow_symlinks=False)
            except OSError as error:
                if error.errno not in {errno.EPERM, errno.EOPNOTSUPP}:  # not ours to set here: as good as a copy can be
                    raise


def link_or_copy(source: str, target: str) -> None:
    """A hard link to a file that never changes again; a copy where the file system allows no more links."""
    try:
        os.link(source, target, follow_symlinks=False)
    except OSError as error:
        if error.errno not in {errno.EMLINK, errno.EXDEV, errno.EPERM}:
            raise
        copy_entry(source, target, os.lstat(source))


def _copy_content(source: str, target: str, size: int) -> None:
    reader = open_regular(source)
    try:
        writer = open_regular(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        try:
            copy_bytes(reader, writer, size)
        finally:
            os.close(writer)
    finally:
        os.close(reader)


def copy_bytes(reader: int, writer: int, size: int) -> None:
    """Copy all of an open file, by sharing its blocks where the file system can.

    Args:
        reader: file descriptor to read from, at the start.
        writer: file descriptor of an empty file.
        size: expected size in bytes; more or less is copied if the file is of another size by now.
    """
    if size > _SMALL and _has_holes(os.fstat(reader)):
        _copy_data(reader, writer)
    elif size <= _SMALL or not _copied_by_kernel(reader, writer):
        while block := os.read(reader, _SMALL + 1):
            _write_all(writer, block)


def _has_holes(info: os.stat_result) -> bool:
    return info.st_blocks * 512 < info.st_size


def _copy_data(reader: int, writer: int) -> None:
    """Copy only what a file has data for (lseek(2), SEEK_DATA): the kernel would write the holes out, however large they are."""
    end, at = os.fstat(reader).st_size, 0
    while at < end:
        try:
            start = os.lseek(reader, at, os.SEEK_DATA)
        except OSError as error:
            if error.errno != errno.ENXIO:
                raise
            break  # no data from here on
        at = os.lseek(reader, start, os.SEEK_HOLE)
        _copy_stretch(reader, writer, start, at)
    os.ftruncate(writer, end)


def _copy_stretch(reader: int, writer: int, start: int, end: int) -> None:
    os.lseek(writer, start, os.SEEK_SET)
    while start < end and (block := os.pread(reader, min(_BLOCK, end - start), start)):
        _write_all(writer, block)
        start += len(block)


def _copied_by_kernel(reader: int, writer: int) -> bool:
    """Let the kernel copy; False when it can not (then nothing was copied, or all: reading on finds the rest)."""
    try:
        while os.copy_file_range(reader, writer, 1 << 30):
            pass
    except OSError as error:
        if error.errno not in _CANNOT:
            raise
        return False
    return True


def _write_all(writer: int, block: bytes) -> None:
    view = memoryview(block)
    while view:
        view = view[os.write(writer, view) :]
