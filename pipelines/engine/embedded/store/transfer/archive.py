"""A tree as one tar file, with everything overlayfs needs (marks, devices, exact times), and back. The same tree gives the same bytes."""

from __future__ import annotations

import errno
import os
import stat
import tarfile
from contextlib import suppress
from typing import TYPE_CHECKING, BinaryIO

from pipelines.engine.embedded import tars
from pipelines.engine.embedded.errors import InvalidInput
from pipelines.engine.embedded.store.selection.patterns import Filter
from pipelines.engine.embedded.store.selection.select import select
from pipelines.engine.embedded.store.trees.measure import MARKS, OPAQUE, xattrs
from pipelines.engine.embedded.tars import Damaged, shown

if TYPE_CHECKING:
    import io
    from pathlib import Path

_XATTR = "LOCKGATE.xattr."  # followed by the attribute's name; the value is hexadecimal
_TYPES = {
    stat.S_IFREG: tarfile.REGTYPE,
    stat.S_IFDIR: tarfile.DIRTYPE,
    stat.S_IFLNK: tarfile.SYMTYPE,
    stat.S_IFCHR: tarfile.CHRTYPE,
    stat.S_IFBLK: tarfile.BLKTYPE,
    stat.S_IFIFO: tarfile.FIFOTYPE,
}
_MODES = {kind: mode for mode, kind in _TYPES.items()}
_BLOCK = 1 << 20
_MOST = 20_000_000  # members of one tree


def pack(root: Path, out: BinaryIO | io.RawIOBase) -> None:
    """Write the folder `root` as a tar stream: POSIX.1-2001 (pax) with extended attributes under names of our own. Sockets are left out."""
    links: dict[tuple[int, int], str] = {}
    with tarfile.open(fileobj=out, mode="w|", format=tarfile.PAX_FORMAT, bufsize=_BLOCK) as tar:
        tar.addfile(_header(str(root), ".", root.lstat()))
        for found in select(str(root), Filter()):
            if stat.S_ISSOCK(found.info.st_mode):
                continue
            header = _header(found.path, f"./{found.rel}", found.info)
            inode = (found.info.st_dev, found.info.st_ino)
            if found.info.st_nlink > 1 and not found.is_folder() and (first := links.setdefault(inode, header.name)) != header.name:
                header.type, header.linkname, header.size = tarfile.LNKTYPE, first, 0
            if header.isreg():
                with open(found.path, "rb") as file:
                    tar.addfile(header, file)
            else:
                tar.addfile(header)


def _header(path: str, name: str, info: os.stat_result) -> tarfile.TarInfo:
    header = tarfile.TarInfo(name)
    header.type = _TYPES[stat.S_IFMT(info.st_mode)]
    header.mode = stat.S_IMODE(info.st_mode)
    header.uid, header.gid = info.st_uid, info.st_gid
    header.size = info.st_size if header.isreg() else 0
    header.pax_headers = {"mtime": f"{info.st_mtime_ns // 10**9}.{info.st_mtime_ns % 10**9:09}"}
    if header.issym():
        header.linkname = os.readlink(path)
    if header.isdev():
        header.devmajor, header.devminor = os.major(info.st_rdev), os.minor(info.st_rdev)
    for attribute in sorted(name for name in xattrs(path) if not name.startswith(MARKS) or name in OPAQUE):  # others mean this disk only
        header.pax_headers[_XATTR + attribute] = os.getxattr(path, attribute, follow_symlinks=False).hex()
    return header


def unpack(stream: BinaryIO | io.RawIOBase, root: Path) -> None:
    """Write the tree of a tar stream made by `pack` into the empty folder `root`.

    Raises:
        InvalidInput: it is not such a stream, or a path in it leads elsewhere. What was written so far is for the caller to remove.
    """
    folders: dict[str, tarfile.TarInfo] = {}
    source = tars.ForwardReader(iter(lambda: stream.read(_BLOCK) or b"", b""))
    try:
        with tars.opened(source) as tar:
            for member in tars.members(tar, source, most=_MOST):
                _place(source, member, str(root), folders)
                tar.members.clear()  # type: ignore[attr-defined]  # tarfile would keep every one
        for name, member in reversed(folders.items()):
            _apply_attributes(os.path.join(root, name), member)
    except (Damaged, ValueError, KeyError, OverflowError) as error:
        raise InvalidInput(f"a cached tree is damaged: {error}") from None
    except OSError as error:
        if error.errno not in tars.IMPOSSIBLE | {errno.EPERM}:  # EPERM: a device, and no privilege to make one
            raise
        raise InvalidInput(f"a cached tree is damaged: {error}") from None


def _place(source: tars.ForwardReader, member: tarfile.TarInfo, root: str, folders: dict[str, tarfile.TarInfo]) -> None:
    name = _inner(member.name, folders)
    path = os.path.join(root, name)
    if member.isdir():
        if name != ".":
            os.mkdir(path, 0o700)
        folders[name] = member
        return
    if member.islnk():
        target = os.path.join(root, _inner(member.linkname, folders))
        if stat.S_ISDIR(os.lstat(target).st_mode):
            raise Damaged(f"{shown(member.name)}: is a hard link to a folder")
        os.link(target, path, follow_symlinks=False)
        return
    if member.issym():
        os.symlink(member.linkname, path)
    elif member.isreg():
        if member.issparse():
            raise Damaged(f"{shown(member.name)}: is a file with holes")
        with open(path, "xb") as file:
            if source.copy(file.fileno(), member.size) != member.size:
                raise Damaged(f"{shown(member.name)}: ends early")
    else:
        os.mknod(path, _MODES[member.type] | 0o600, os.makedev(member.devmajor, member.devminor))
    _apply_attributes(path, member)


def _inner(name: str, folders: dict[str, tarfile.TarInfo]) -> str:
    """A member's path, which must lie in a folder the same archive made: so no link is ever followed."""
    clean = name.removeprefix("./") or "."
    folder, _, last = clean.rpartition("/")
    if last in {"", ".."} or (last == "." and clean != ".") or (clean != "." and (folder or ".") not in folders):
        raise ValueError(f"the path {name!r} is in a wrong place")
    return clean


def _apply_attributes(path: str, member: tarfile.TarInfo) -> None:
    """Owner, mode, attributes, times; in the order in which one does not undo another."""
    os.chown(path, member.uid, member.gid, follow_symlinks=False)
    if not member.issym():
        os.chmod(path, member.mode)
    for key, value in member.pax_headers.items():
        if key.startswith(_XATTR):
            with suppress(PermissionError):
                os.setxattr(path, key.removeprefix(_XATTR), bytes.fromhex(value), follow_symlinks=False)
    moment = tars.nanoseconds(member)
    os.utime(path, ns=(moment, moment), follow_symlinks=False)
