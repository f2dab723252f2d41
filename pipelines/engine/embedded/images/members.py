"""Members of a tar stream as files: content, owner, mode, times, extended attributes, hard links, devices."""

from __future__ import annotations

import errno
import os
import stat
import tarfile
from decimal import Decimal
from typing import IO, TYPE_CHECKING, cast

from pipelines.engine.embedded.errors import ImageError
from pipelines.engine.embedded.images.tree import Tree
from pipelines.engine.embedded.store.measure import MARKS

if TYPE_CHECKING:
    from pipelines.engine.embedded.images.stream import Stream

XATTR = "SCHILY.xattr."
UNSUPPORTED = frozenset({errno.ENOTSUP, errno.EPERM, errno.EACCES, errno.EINVAL})
UNMAPPED = frozenset({errno.EPERM, errno.EINVAL})
IMPOSSIBLE = frozenset(
    {errno.ENOTDIR, errno.EISDIR, errno.ENAMETOOLONG, errno.ELOOP, errno.EINVAL, errno.EEXIST, errno.ENOENT, errno.EMLINK}
)
"""What is wrong with the member, not with this machine."""
CREATE = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC


class Members:
    """Writes members below a folder.

    What has a member's name already makes room for it; a folder stays and takes the new attributes.

    Attributes:
        skipped: device nodes left out because this user cannot make them.
    """

    def __init__(self, stream: Stream, target: str) -> None:
        self.stream = stream
        self.tree = Tree(target, self.replaced)
        self.skipped = 0
        self._times: dict[str, int] = {}

    def read(self) -> None:
        """Write all members.

        Raises:
            ImageError: the tar is damaged, or has an entry that is no file.
            OSError: the disk is full, and such.
        """
        try:
            with tarfile.open(fileobj=cast("IO[bytes]", self.stream), mode="r:", bufsize=1 << 16) as tar:
                while (member := tar.next()) is not None:
                    self._add(tar, member)
                    tar.members.clear()  # type: ignore[attr-defined]  # tarfile would keep every one
        except tarfile.TarError as error:
            if self.stream.tell() or not isinstance(error, tarfile.ReadError):  # else it is empty, which a layer may be
                raise ImageError(f"damaged tar: {error}") from None
        # tarfile takes any block that is no header for the end; it must be of zeros, or not be there.
        if any(self.stream.latest) or len(self.stream.latest) % tarfile.BLOCKSIZE:
            raise ImageError("damaged tar: it has no end")
        self._set_times()

    def _add(self, tar: tarfile.TarFile, member: tarfile.TarInfo) -> None:
        try:
            self.add(tar, member)
        except OSError as error:
            if error.errno not in IMPOSSIBLE:
                raise
            raise ImageError(f"{member.name}: {error.strerror}") from None

    def add(self, tar: tarfile.TarFile, member: tarfile.TarInfo) -> None:
        """Write one member; its content is next in the stream."""
        mtime = nanoseconds(member)
        folder, base = self.tree.place(member.name, mtime)
        if base:
            self.put(tar, member, f"{folder}/{base}", mtime)

    def put(self, tar: tarfile.TarFile, member: tarfile.TarInfo, path: str, mtime: int) -> None:
        """Write one member at a path whose folder exists."""
        if member.isreg():
            self._file(tar, member, path, mtime)
        elif member.isdir():
            self._folder(member, path, mtime)
        else:
            self._other(member, path, mtime)

    def replaced(self, path: str) -> None:
        """A folder has taken the place of something else."""

    def removed(self, path: str) -> None:
        """Something has gone, to make room."""

    def _remove(self, path: str) -> None:
        self.tree.remove(path)
        self.removed(path)

    def dangling(self, path: str, source: str) -> None:
        """A hard link to what is not there."""
        raise ImageError(f"{self.tree.relative(path)} is a hard link to {self.tree.relative(source)}, which is not there")

    def _file(self, tar: tarfile.TarFile, member: tarfile.TarInfo, path: str, mtime: int) -> None:
        fd = self._create(path)
        try:
            if member.issparse():
                _copy_sparse(tar, member, fd)
            elif self.stream.copy(fd, member.size) != member.size:
                raise ImageError(f"damaged tar: it ends inside {member.name}")
            _own(fd, member)
            os.fchmod(fd, member.mode & 0o7777)
            _set_xattrs(fd, member)
            os.utime(fd, ns=(mtime, mtime))
        finally:
            os.close(fd)

    def _create(self, path: str) -> int:
        try:
            return os.open(path, CREATE, 0o600)
        except FileExistsError:
            self._remove(path)
            return os.open(path, CREATE, 0o600)

    def _folder(self, member: tarfile.TarInfo, path: str, mtime: int) -> None:
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
        self._remove(path)
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
            raise ImageError(f"{member.name}: an entry of type {member.type!r} is no file")
        _own(path, member)
        if not member.issym():
            os.chmod(path, member.mode & 0o7777)
        _set_xattrs(path, member)
        os.utime(path, ns=(mtime, mtime), follow_symlinks=False)

    def _make_room(self, path: str) -> None:
        if os.path.lexists(path):
            self._remove(path)

    def _link(self, member: tarfile.TarInfo, path: str) -> None:
        source, found = self.tree.find(member.linkname)
        if found and stat.S_ISDIR(os.lstat(source).st_mode):
            raise ImageError(f"{member.name} is a hard link to the folder {member.linkname}")
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
        for path, mtime in reversed(self._times.items()):
            if os.path.isdir(path) and not os.path.islink(path):
                os.utime(path, ns=(mtime, mtime))
        for name, mtime in reversed(self.tree.implied.items()):
            os.utime(f"{self.tree.root}/{name}", ns=(mtime, mtime))


def nanoseconds(member: tarfile.TarInfo) -> int:
    """A member's time of change; tarfile's own number has lost the last digits."""
    text = member.pax_headers.get("mtime")
    return int(Decimal(text) * 10**9) if text else int(member.mtime) * 10**9


def _copy_sparse(tar: tarfile.TarFile, member: tarfile.TarInfo, fd: int) -> None:
    source = tar.extractfile(member)
    if source is None:
        raise ImageError(f"damaged layer: {member.name} has no content")
    while block := source.read(1 << 20):
        os.write(fd, block)


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
            continue  # a layer must not speak to overlayfs behind our back
        data = value.encode("utf-8", "surrogateescape")
        try:
            if isinstance(where, int):
                os.setxattr(where, name, data)
            else:
                os.setxattr(where, name, data, follow_symlinks=False)
        except OSError as error:
            if error.errno not in UNSUPPORTED:
                raise  # else: this file system, or this user, cannot have it
