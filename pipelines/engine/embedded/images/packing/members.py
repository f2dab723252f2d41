"""Members of a tar stream as files: content, owner, mode, times, extended attributes, hard links, devices."""

from __future__ import annotations

import errno
import os
import stat
import tarfile
from pathlib import Path
from typing import TYPE_CHECKING

from pipelines.engine.embedded import tars
from pipelines.engine.embedded.images.packing.tree import LayerTree
from pipelines.engine.embedded.store.disk_full import disk_full
from pipelines.engine.embedded.store.trees.measure import MARKS
from pipelines.engine.embedded.tars import LARGEST, Damaged, Room, nanoseconds, shown

if TYPE_CHECKING:
    from pipelines.engine.embedded.images.packing.stream import LayerStream

XATTR = "SCHILY.xattr."
UNSUPPORTED = frozenset({errno.ENOTSUP, errno.EPERM, errno.EACCES, errno.EINVAL})
UNMAPPED = frozenset({errno.EPERM, errno.EINVAL})
TOO_LARGE = frozenset({errno.E2BIG, errno.ENOSPC, errno.ERANGE})
"""How file systems say that an extended attribute has no room beside a file, however much the disk has."""
MOST = 20_000_000  # members of one layer
CREATE = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC


class MemberWriter:
    """Writes members below a folder.

    What has a member's name already makes room for it; a folder stays and takes the new attributes.

    Attributes:
        skipped: device nodes left out because this user cannot make them.
    """

    def __init__(self, stream: LayerStream, target: str) -> None:
        self.stream = stream
        self._target = target
        self._room = Room.at(target)
        self._written = 0
        self.tree = LayerTree(target, self.replaced)
        self.skipped = 0
        self._times: dict[str, int] = {}

    def read(self) -> None:
        """Write all members.

        Raises:
            Damaged: it is not a tar, or has what no layer holds.
            DiskFull: the disk has no room for it, as far as can be known before.
            OSError: the disk is full, and such.
        """
        if not self.stream.empty():
            with tars.opened(self.stream) as tar:
                for number, member in enumerate(tars.members(tar, self.stream, most=MOST)):
                    if number >= self._room.files:
                        raise disk_full(Path(self._target))
                    self._add(member)
                    tar.members.clear()  # type: ignore[attr-defined]  # tarfile would keep every one
        # tarfile takes any block that is not a header for the end; it must be of zeros, or not be there.
        if any(self.stream.latest) or len(self.stream.latest) % tarfile.BLOCKSIZE:
            raise Damaged("it has no end")
        self._set_times()

    def _add(self, member: tarfile.TarInfo) -> None:
        try:
            self.add(member)
        except OSError as error:
            if error.errno not in tars.IMPOSSIBLE:
                raise
            raise Damaged(f"{shown(member.name)}: {(error.strerror or '').lower()}") from None
        except (ValueError, OverflowError) as error:  # a number or a name that the system's calls cannot take
            raise Damaged(f"{shown(member.name)}: {error}") from None

    def add(self, member: tarfile.TarInfo) -> None:
        """Write one member; its content is next in the stream."""
        mtime = nanoseconds(member)
        folder, base = self.tree.place(member.name, mtime)
        if base:
            self.put(member, f"{folder}/{base}", mtime)

    def put(self, member: tarfile.TarInfo, path: str, mtime: int) -> None:
        """Write one member at a path whose folder exists."""
        if member.isreg():
            self._file(member, path, mtime)
        elif member.isdir():
            self._folder(member, path, mtime)
        else:
            self._other(member, path, mtime)

    def placing(self, path: str) -> None:
        """Something is about to be made at a path."""

    def replaced(self, path: str) -> None:
        """A folder has taken the place of something else."""

    def dangling(self, path: str, source: str) -> None:
        """A hard link to what is not there."""
        names = shown(self.tree.relative(path)), shown(self.tree.relative(source))
        raise Damaged(f"{names[0]}: is a hard link to {names[1]}, which is not there")

    def _file(self, member: tarfile.TarInfo, path: str, mtime: int) -> None:
        pieces = tars.chunks(member) if member.issparse() else ((0, member.size),)
        self._reserve(member, sum(size for _, size in pieces))
        fd = self._create(path)
        try:
            for offset, size in pieces:
                if offset:
                    os.lseek(fd, offset, os.SEEK_SET)
                if self.stream.copy(fd, size) != size:
                    raise Damaged(f"{shown(member.name)}: ends early")
            if member.issparse():
                os.ftruncate(fd, member.size)
            _own(fd, member)
            os.fchmod(fd, member.mode & 0o7777)
            _set_xattrs(fd, member)
            os.utime(fd, ns=(mtime, mtime))
        finally:
            os.close(fd)

    def _reserve(self, member: tarfile.TarInfo, size: int) -> None:
        """Stop before the disk is full rather than when it is, which all who use it would feel."""
        if member.size > LARGEST:
            raise Damaged(f"{shown(member.name)}: is declared to have {member.size} bytes, more than {LARGEST}")
        self._written += size
        if self._written > self._room.free:
            raise disk_full(Path(self._target))

    def _create(self, path: str) -> int:
        self.placing(path)
        try:
            return os.open(path, CREATE, 0o600)
        except FileExistsError:
            self.tree.remove(path)
            return os.open(path, CREATE, 0o600)

    def _folder(self, member: tarfile.TarInfo, path: str, mtime: int) -> None:
        self.placing(path)
        try:
            os.mkdir(path, 0o700)
        except FileExistsError:
            self._reuse(path)
        self.tree.implied.pop(self.tree.relative(path), None)
        _own(path, member)
        os.chmod(path, member.mode & 0o7777)
        _set_xattrs(path, member)
        self._times[path] = mtime

    def _reuse(self, path: str) -> None:
        """A second entry for a folder changes only its attributes; anything else makes room for it."""
        info = os.lstat(path)
        if stat.S_ISDIR(info.st_mode):
            return
        self.tree.remove(path)
        os.mkdir(path, 0o700)
        self.replaced(path)

    def _other(self, member: tarfile.TarInfo, path: str, mtime: int) -> None:
        if member.islnk():
            self._link(member, path)
            return
        self._make_room(path)
        if member.issym():
            os.symlink(member.linkname, path)
        elif member.isfifo():
            os.mkfifo(path, 0o600)
        elif member.ischr() or member.isblk():
            if not self._device(member, path):
                return
        else:
            raise Damaged(f"{shown(member.name)}: an entry of type {member.type!r} is not a file")
        _own(path, member)
        if not member.issym():
            os.chmod(path, member.mode & 0o7777)
        _set_xattrs(path, member)
        os.utime(path, ns=(mtime, mtime), follow_symlinks=False)

    def _make_room(self, path: str) -> None:
        self.placing(path)
        if os.path.lexists(path):
            self.tree.remove(path)

    def _link(self, member: tarfile.TarInfo, path: str) -> None:
        source, found = self.tree.find(member.linkname)
        if found and stat.S_ISDIR(os.lstat(source).st_mode):
            raise Damaged(f"{shown(member.name)}: is a hard link to the folder {shown(member.linkname)}")
        if found and source == path:
            return
        self._make_room(path)
        if found:
            self.link(path, source)
        else:
            self.dangling(path, source)

    def link(self, path: str, source: str) -> None:
        """Give a file another name."""
        os.link(source, path, follow_symlinks=False)

    def _device(self, member: tarfile.TarInfo, path: str) -> bool:
        kind = stat.S_IFCHR if member.ischr() else stat.S_IFBLK
        try:
            os.mknod(path, 0o600 | kind, os.makedev(member.devmajor, member.devminor))
        except PermissionError:
            self.skipped += 1
            return False
        return True

    def _set_times(self) -> None:
        """Times of folders come last, as every new file in one changes them."""
        self.tree.drop_replaced()
        for path, mtime in reversed(self._times.items()):
            if self.tree.is_folder(path):
                os.utime(path, ns=(mtime, mtime))
        for name, mtime in reversed(self.tree.implied.items()):
            os.utime(f"{self.tree.root}/{name}", ns=(mtime, mtime))


def _own(where: int | str, member: tarfile.TarInfo) -> None:
    """Give a file its owner, where this user may: with one user id only, everything belongs to it."""
    try:
        if isinstance(where, int):
            os.fchown(where, member.uid, member.gid)
        else:
            os.lchown(where, member.uid, member.gid)
    except OSError as error:
        if error.errno not in UNMAPPED:
            raise


def _set_xattrs(where: int | str, member: tarfile.TarInfo) -> None:
    for key, value in member.pax_headers.items():
        name = key.removeprefix(XATTR)
        if name == key or name.startswith(MARKS):
            continue  # overlayfs would do what the mark of a foreign layer says
        data = value.encode("utf-8", "surrogateescape")
        try:
            if isinstance(where, int):
                os.setxattr(where, name, data)
            else:
                os.setxattr(where, name, data, follow_symlinks=False)
        except OSError as error:
            if error.errno in UNSUPPORTED:
                continue  # this file system, or this user, cannot have it
            if error.errno in TOO_LARGE and os.statvfs(where).f_bavail:
                raise Damaged(f"{shown(member.name)}: its attribute {shown(name)} is too large for this file system") from None
            raise
