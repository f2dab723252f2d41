"""A layer's folder to a tar with one spelling, compressed.

Sorted by name; times in whole seconds; owners by number; whiteouts and opaque marks as the OCI image specification writes them. So one
layer has one digest. (The compressor is fed in blocks of one size, so that its output does not depend on how files fell on it.)
"""

from __future__ import annotations

import hashlib
import os
import stat
import tarfile
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pipelines.engine.embedded.errors import ImageError
from pipelines.engine.embedded.images.packing.compression import BLOCK, compressor
from pipelines.engine.embedded.images.packing.members import XATTR
from pipelines.engine.embedded.images.packing.stream import ReadAhead
from pipelines.engine.embedded.images.packing.unpack import OPAQUE, WHITEOUT
from pipelines.engine.embedded.store.trees.measure import MARKS, is_opaque, is_whiteout, xattrs

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

RECORD = 512
END = bytes(2 * RECORD)


@dataclass(frozen=True, slots=True)
class Packed:
    """A layer as a blob: digests of the plain tar and of the compressed file, and the file's size in bytes."""

    diff_id: str
    digest: str
    size: int


def pack(layer: str, target: Path, compression: str) -> Packed:
    """Write a layer as a compressed tar.

    Args:
        layer: the layer's folder, in overlay format.
        target: file to write.
        compression: gzip, zstd, or empty for none.

    Raises:
        ImageError: a file in it cannot be in an image layer.
    """
    plain, packed = hashlib.sha256(), hashlib.sha256()
    compressing = compressor(compression)
    with target.open("wb") as file, ReadAhead(_blocks(_tar(layer))) as blocks:
        for block in blocks:
            plain.update(block)
            data = compressing.compress(block)
            packed.update(data)
            file.write(data)
        data = compressing.flush()
        packed.update(data)
        file.write(data)
        return Packed(f"sha256:{plain.hexdigest()}", f"sha256:{packed.hexdigest()}", file.tell())


def _blocks(pieces: Iterator[bytes]) -> Iterator[bytes]:
    """The same bytes in blocks of one size."""
    pending = bytearray()
    for piece in pieces:
        pending += piece
        while len(pending) >= BLOCK:
            yield bytes(pending[:BLOCK])
            del pending[:BLOCK]
    yield bytes(pending)


def _tar(layer: str) -> Iterator[bytes]:
    first: dict[tuple[int, int], str] = {}
    for name, path, info in _walk(layer):
        yield from _entry(name, path, info, first)
    yield END


def _walk(layer: str) -> Iterator[tuple[str, str, os.stat_result]]:
    """Everything below the layer's root, each folder before what is in it, names sorted by their bytes."""
    pending = [_listed(layer)]
    while pending:
        entry = next(pending[-1], None)
        if entry is None:
            pending.pop()
            continue
        info = entry.stat(follow_symlinks=False)
        yield entry.path[len(layer) + 1 :], entry.path, info
        if stat.S_ISDIR(info.st_mode):
            pending.append(_listed(entry.path))


def _listed(folder: str) -> Iterator[os.DirEntry[str]]:
    with os.scandir(folder) as found:
        return iter(sorted(found, key=lambda entry: os.fsencode(entry.name)))


def _entry(name: str, path: str, info: os.stat_result, first: dict[tuple[int, int], str]) -> Iterator[bytes]:
    folder, _, base = name.rpartition("/")
    prefix = f"{folder}/" if folder else ""
    if is_whiteout(info):
        yield _header(_mark(f"{prefix}{WHITEOUT}{base}"))
        return
    if base.startswith(WHITEOUT):
        raise ImageError(f"/{name} cannot be in an image: its name begins with {WHITEOUT}, which marks removed files there")
    if stat.S_ISSOCK(info.st_mode):
        return  # tar has no sockets, and nobody could use one
    member = _member(name, path, info, first)
    yield _header(member)
    if member.isreg():
        yield from _content(path, member.size)
    if member.isdir() and is_opaque(path):
        yield _header(_mark(f"{name}/{OPAQUE}"))


def _member(name: str, path: str, info: os.stat_result, first: dict[tuple[int, int], str]) -> tarfile.TarInfo:
    member = tarfile.TarInfo(name)
    member.mode = stat.S_IMODE(info.st_mode)
    member.uid, member.gid, member.mtime = info.st_uid, info.st_gid, info.st_mtime_ns // 10**9
    member.type = _type(info.st_mode)
    if member.islnk() or (not member.isdir() and info.st_nlink > 1):
        earlier = first.setdefault((info.st_dev, info.st_ino), name)
        if earlier != name:
            member.type, member.linkname = tarfile.LNKTYPE, earlier
            return member
    if member.isreg():
        member.size = info.st_size
    elif member.issym():
        member.linkname = os.readlink(path)
    elif member.ischr() or member.isblk():
        member.devmajor, member.devminor = os.major(info.st_rdev), os.minor(info.st_rdev)
    member.pax_headers = _pax(path)
    return member


def _pax(path: str) -> dict[str, str]:
    found = sorted(name for name in xattrs(path) if not name.startswith(MARKS) and name != "security.selinux")
    return {XATTR + name: os.getxattr(path, name, follow_symlinks=False).decode("utf-8", "surrogateescape") for name in found}


def _type(mode: int) -> bytes:
    kinds = {
        stat.S_IFREG: tarfile.REGTYPE,
        stat.S_IFDIR: tarfile.DIRTYPE,
        stat.S_IFLNK: tarfile.SYMTYPE,
        stat.S_IFIFO: tarfile.FIFOTYPE,
        stat.S_IFCHR: tarfile.CHRTYPE,
        stat.S_IFBLK: tarfile.BLKTYPE,
    }
    return kinds[stat.S_IFMT(mode)]


def _mark(name: str) -> tarfile.TarInfo:
    member = tarfile.TarInfo(name)
    member.mode = 0o600
    return member


def _header(member: tarfile.TarInfo) -> bytes:
    return member.tobuf(tarfile.PAX_FORMAT, "utf-8", "surrogateescape")


def _content(path: str, size: int) -> Iterator[bytes]:
    with open(path, "rb", buffering=0) as file:
        missing = size
        while missing and (block := file.read(min(missing, BLOCK))):
            missing -= len(block)
            yield block
    if missing:
        raise ImageError(f"{path} was shortened while it was packed")
    yield bytes(-size % RECORD)
