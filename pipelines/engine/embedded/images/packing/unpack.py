"""A layer's tar stream to a folder in overlay format (OCI image specification, "Image Layer Filesystem Changeset")."""

from __future__ import annotations

import os
import stat
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from pipelines.engine.embedded.images.packing.members import CREATE, MemberWriter
from pipelines.engine.embedded.store.trees.measure import is_whiteout
from pipelines.engine.embedded.tars import Damaged, nanoseconds

if TYPE_CHECKING:
    import tarfile

    from pipelines.engine.embedded.images.packing.stream import LayerStream

WHITEOUT = ".wh."
OPAQUE = ".wh..wh..opq"
RESERVED = ".wh..wh."  # names of aufs for itself


@dataclass(slots=True)
class Unpacked:
    """What a layer turned out to hold.

    Attributes:
        diff_id: digest of its plain tar.
        implied: folders without an entry of their own: theirs is what the layers below say.
        links: hard links to files that only the layers below have: name → target. An empty file keeps the place of each.
        whiteouts: names of the layers below that are gone.
        opaque: nothing of the layers below is seen.
        skipped: device nodes left out because only root makes them.
    """

    diff_id: str = ""
    implied: list[str] = field(default_factory=list)
    links: dict[str, str] = field(default_factory=dict)
    whiteouts: list[str] = field(default_factory=list)
    opaque: bool = False
    skipped: int = 0


def unpack(stream: LayerStream, target: str, *, opaque_mark: str) -> Unpacked:
    """Unpack a layer into an empty folder.

    Args:
        stream: the plain tar.
        target: the folder.
        opaque_mark: name of the extended attribute by which overlayfs knows opaque folders.

    Raises:
        Damaged: the tar is not one, or holds what no layer holds.
        DiskFull: the disk has no room for it.
        OSError: the disk is full, and such.
    """
    layer = _Layer(stream, target, opaque_mark)
    layer.read()
    layer.found.implied = sorted(layer.tree.implied)
    layer.found.skipped = layer.skipped
    layer.drop_replaced()
    layer.found.diff_id = stream.finish()
    return layer.found


class _Layer(MemberWriter):
    def __init__(self, stream: LayerStream, target: str, opaque_mark: str) -> None:
        super().__init__(stream, target)
        self.mark = opaque_mark
        self.found = Unpacked()
        self.whiteouts: set[str] = set()

    def drop_replaced(self) -> None:
        """Leave out what the layer itself has replaced again: looked at once, here, as a layer may replace very often."""
        there = {name: self.tree.look(f"{self.tree.root}/{name}") for name in {*self.whiteouts, *self.found.links}}
        self.found.whiteouts = sorted(name for name in self.whiteouts if (info := there[name]) is not None and is_whiteout(info))
        links = self.found.links.items()
        self.found.links = {name: target for name, target in links if (info := there[name]) is not None and stat.S_ISREG(info.st_mode)}

    def add(self, member: tarfile.TarInfo) -> None:
        mtime = nanoseconds(member)
        folder, base = self.tree.place(member.name, mtime)
        if base.startswith(WHITEOUT):
            self._whiteout(folder, base)
        elif base:  # the root's own entry is left out: its owner and mode are not part of a layer
            self.put(member, f"{folder}/{base}", mtime)

    def placing(self, path: str) -> None:
        if self.found.links:
            self.found.links.pop(self.tree.relative(path), None)

    def replaced(self, path: str) -> None:
        self.whiteouts.discard(self.tree.relative(path))
        self._hide_below(path)  # what was there hid it already

    def dangling(self, path: str, source: str) -> None:
        os.close(os.open(path, CREATE, 0o600))  # keeps the place
        self.found.links[self.tree.relative(path)] = self.tree.relative(source)

    def link(self, path: str, source: str) -> None:
        below = self.found.links.get(self.tree.relative(source))
        if below is None:
            super().link(path, source)
        else:
            self.dangling(path, f"{self.tree.root}/{below}")

    def _whiteout(self, folder: str, base: str) -> None:
        if base == OPAQUE:
            self._hide_below(folder)
            return
        if base.startswith(RESERVED):
            return
        hidden = base.removeprefix(WHITEOUT)
        if hidden in {"", ".", ".."}:
            raise Damaged(f"a whiteout of {hidden!r}")
        path = f"{folder}/{hidden}"
        try:
            os.mknod(path, stat.S_IFCHR, 0)
            self.whiteouts.add(self.tree.relative(path))
        except FileExistsError:  # the same layer brings one of that name: the whiteout is only about those below
            if stat.S_ISDIR(os.lstat(path).st_mode):
                self._hide_below(path)

    def _hide_below(self, folder: str) -> None:
        if folder == self.tree.root:
            self.found.opaque = True  # overlayfs does not look for the mark there: the layers below are left out instead
        else:
            os.setxattr(folder, self.mark, b"y")
