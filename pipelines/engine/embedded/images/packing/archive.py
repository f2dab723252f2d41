"""Local tar archives that ADD unpacks."""

from __future__ import annotations

import itertools
import os
import tarfile
from typing import TYPE_CHECKING

from pipelines.engine.embedded.errors import InvalidInput
from pipelines.engine.embedded.images.packing.compression import plain_blocks
from pipelines.engine.embedded.images.packing.members import MemberWriter
from pipelines.engine.embedded.images.packing.stream import LayerStream
from pipelines.engine.embedded.tars import Damaged, parsing

if TYPE_CHECKING:
    from typing import BinaryIO

    from pipelines.engine.embedded.store.trees.root import Root


def unpack_archive(file: BinaryIO, root: Root, dest: str, owner: tuple[int, int] | None = None) -> bool:
    """Unpack a tar archive (plain, gzip, bzip2, xz or zstd) into the folder ``dest`` of a tree, made where it is missing.

    Modes, times and links are the archive's, and the owners unless ``owner`` (uid, gid) is given; no name and no link in it leads
    out of the folder, which is the root for an absolute link, too (as in the chroot that Docker and BuildKit unpack in).

    Returns:
        False, with nothing written, when the file is not a tar archive.

    Raises:
        InvalidInput: the archive is damaged.
    """
    blocks = plain_blocks(file)
    try:
        first = next(blocks, b"")
        if not _is_tar(first):
            return False
        root.mkdirs(dest, 0o755, *(owner or (None, None)))
        with LayerStream(itertools.chain([first], blocks)) as stream:
            _Archive(stream, os.fspath(root.locate(dest)), owner).read()
            stream.finish()  # so that a checksum at the end is looked at
    except Damaged as error:
        raise InvalidInput(f"failed to unpack an archive into {dest}: it is damaged: {error}") from None
    return True


class _Archive(MemberWriter):
    def __init__(self, stream: LayerStream, target: str, owner: tuple[int, int] | None) -> None:
        super().__init__(stream, target)
        self._owner = owner

    def add(self, member: tarfile.TarInfo) -> None:
        if self._owner is not None:
            member.uid, member.gid = self._owner
        super().add(member)


def _is_tar(head: bytes) -> bool:
    try:
        with parsing():
            tarfile.TarInfo.frombuf(head[: tarfile.BLOCKSIZE], "utf-8", "surrogateescape")
    except Damaged:
        return False
    return True
