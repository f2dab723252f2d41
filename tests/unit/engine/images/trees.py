"""Helpers of the layer tests: tar streams to order, folders as values, and what a plain unpack of layers in order gives."""

from __future__ import annotations

import io
import os
import stat
import tarfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from pipelines.engine.embedded.images.packing.stream import LayerStream
from pipelines.engine.embedded.images.packing.unpack import Unpacked, unpack

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence


MARK = "user.overlay.opaque"
MTIME = 1_700_000_000


@dataclass(frozen=True)
class Entry:
    """A member to be written: kind is file, dir, link, hard, fifo, char."""

    name: str
    kind: str = "file"
    text: str = ""
    mode: int = 0o644
    mtime: float = MTIME
    owner: tuple[int, int] = field(default_factory=lambda: (os.getuid(), os.getgid()))
    pax: Mapping[str, str] = field(default_factory=dict)


TYPES = {
    "file": tarfile.REGTYPE,
    "dir": tarfile.DIRTYPE,
    "link": tarfile.SYMTYPE,
    "hard": tarfile.LNKTYPE,
    "fifo": tarfile.FIFOTYPE,
    "char": tarfile.CHRTYPE,
    "strange": b"Z",
}


def tar(entries: Iterable[Entry]) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=tarfile.PAX_FORMAT) as archive:
        for entry in entries:
            member = tarfile.TarInfo(entry.name)
            member.type, member.mode, member.mtime = TYPES[entry.kind], entry.mode, entry.mtime
            member.uid, member.gid = entry.owner
            member.pax_headers = dict(entry.pax)
            member.devmajor, member.devminor = (1, 3) if entry.kind == "char" else (0, 0)
            if entry.kind in {"link", "hard"}:
                member.linkname = entry.text
                archive.addfile(member)
            else:
                data = entry.text.encode() if entry.kind == "file" else b""
                member.size = len(data)
                archive.addfile(member, io.BytesIO(data))
    return out.getvalue()


@dataclass(frozen=True)
class LowerLayerUses:
    """What a layer left to those below."""

    implied: Sequence[str]
    links: Sequence[tuple[str, str]]
    whiteouts: Sequence[str]


def left(found: Unpacked) -> LowerLayerUses:
    return LowerLayerUses(found.implied, [*found.links.items()], found.whiteouts)


def unpacked(entries: Iterable[Entry], target: Path) -> Unpacked:
    target.mkdir(parents=True, exist_ok=True)
    with LayerStream(iter([tar(entries)])) as stream:
        return unpack(stream, str(target), opaque_mark=MARK)


Tree = dict[str, tuple[str, str]]
"""Path → (kind, content or target)."""


def shown(layers: Sequence[Path]) -> Tree:
    """What overlayfs shows of layers, bottom first (kernel documentation, "Overlay Filesystem": whiteouts, opaque directories)."""
    merged: Tree = {}
    for layer in layers:
        for folder, _, _ in os.walk(layer):
            if folder != str(layer) and MARK in os.listxattr(folder):
                _hide(merged, os.path.relpath(folder, layer) + "/")
            for entry in sorted(os.scandir(folder), key=lambda one: one.name):
                name = os.path.relpath(entry.path, layer)
                value = _value(entry.path)
                if value is None or value[0] != "dir" or merged.get(name, ("", ""))[0] != "dir":
                    _hide(merged, name)
                    _hide(merged, name + "/")
                if value is not None:
                    merged[name] = value
    return merged


def _hide(tree: Tree, prefix: str) -> None:
    for name in [name for name in tree if name == prefix or (prefix.endswith("/") and name.startswith(prefix))]:
        del tree[name]


def _value(path: str) -> tuple[str, str] | None:
    info = os.lstat(path)
    if stat.S_ISDIR(info.st_mode):
        return ("dir", "")
    if stat.S_ISLNK(info.st_mode):
        return ("link", str(Path(path).readlink()))
    if stat.S_ISCHR(info.st_mode) and info.st_rdev == 0:
        return None
    return ("file", Path(path).read_text())
