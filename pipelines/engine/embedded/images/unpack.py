"""A layer's tar stream to a folder in overlay format (OCI image specification, "Image Layer Filesystem Changeset")."""

from __future__ import annotations

import os
import stat
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from pipelines.engine.embedded.errors import ImageError
from pipelines.engine.embedded.images.members import CREATE, Members, nanoseconds

if TYPE_CHECKING:
    import tarfile
    from collections.abc import Iterable

    from pipelines.engine.embedded.images.stream import Stream

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


def unpack(stream: Stream, target: str, *, opaque_mark: str) -> Unpacked:
    """Unpack a layer into an empty folder.

    Args:
        stream: the plain tar.
        target: the folder.
        opaque_mark: name of the extended attribute by which overlayfs knows opaque folders.

    Raises:
        ImageError: the tar is damaged or holds what no layer holds.
        OSError: the disk is full, and such.
    """
    layer = _Layer(stream, target, opaque_mark)
    layer.read()
    layer.found.implied = sorted(layer.tree.implied)
    layer.found.skipped = layer.skipped
    layer.found.whiteouts = sorted(layer.whiteouts)
    layer.found.diff_id = stream.finish()
    return layer.found


class _Layer(Members):
    def __init__(self, stream: Stream, target: str, opaque_mark: str) -> None:
        super().__init__(stream, target)
        self.mark = opaque_mark
        self.found = Unpacked()
        self.whiteouts: set[str] = set()

    def add(self, tar: tarfile.TarFile, member: tarfile.TarInfo) -> None:
        mtime = nanoseconds(member)
        folder, base = self.tree.place(member.name, mtime)
        if base.startswith(WHITEOUT):
            self._whiteout(folder, base)
        elif base:  # the root's own entry is left out: its owner and mode are not part of a layer
            self.put(tar, member, f"{folder}/{base}", mtime)

    def replaced(self, path: str) -> None:
        self.whiteouts.discard(self.tree.relative(path))
        self._hide_below(path)  # what was there hid it already

    def removed(self, path: str) -> None:
        name = self.tree.relative(path)
        for link in _within(name, self.found.links):
            del self.found.links[link]
        self.whiteouts.difference_update(_within(name, self.whiteouts))

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
            raise ImageError(f"damaged layer: a whiteout of {hidden!r}")
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


def _within(name: str, names: Iterable[str]) -> list[str]:
    """A name itself, and those of what is in it."""
    return [one for one in names if one == name or one.startswith(f"{name}/")]
