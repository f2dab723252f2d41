"""Squash: a deep stack of layers made shallow by merging its upper half, with hard links, so no content is copied."""

from __future__ import annotations

import hashlib
import os
import stat
from typing import TYPE_CHECKING, NamedTuple

from pipelines.engine.embedded.store.copyfile import copy_metadata, link_or_copy
from pipelines.engine.embedded.store.measure import is_opaque, is_whiteout
from pipelines.engine.embedded.store.snapshot import MAX_DEPTH, Snapshot

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from pipelines.engine.embedded.store.layers import Layers

KEPT = MAX_DEPTH // 2  # layers at the bottom that stay: an image's own, most of the time, so they are not repeated


def squash(layers: Layers, opaque_mark: str, snapshot: Snapshot) -> Snapshot:
    """The same file system with all layers above the first `KEPT` merged. Depth alone decides, so the result is the same anywhere."""
    below, above = snapshot.layers[:KEPT], snapshot.layers[KEPT:]
    if len(above) < 2:  # noqa: PLR2004 - nothing to merge
        return snapshot
    name = "squash:" + hashlib.sha256("\n".join(snapshot.layers).encode()).hexdigest()
    merged = layers.add(lambda target: merge([layers.path(x) for x in above], [layers.path(x) for x in below], target, opaque_mark), name)
    return Snapshot(snapshot.id, (*below, merged))


class _Folder(NamedTuple):
    """A folder of the merged layer.

    Attributes:
        target: where it is being made.
        sources: the folders that merge into it, uppermost first.
        below: the folders under it that the stack below has.
    """

    target: str
    sources: list[str]
    below: list[str]


def merge(above: Sequence[Path], below: Sequence[Path], target: Path, opaque_mark: str) -> None:
    """Write into the empty folder `target` one layer that shows, on top of `below`, what the stack `above` (bottom first) shows."""
    pending = [_Folder(str(target), [str(path) for path in reversed(above)], [str(path) for path in below])]
    done: list[_Folder] = []
    while pending:
        folder = pending.pop()
        done.append(folder)
        for name in sorted({name for source in folder.sources for name in os.listdir(source)}):
            child = _child(folder, name)
            if child is None:
                _link(folder, name)
            else:
                _make(child, opaque_mark, opaque=bool(folder.below) and not child.below)
                pending.append(child)
    for folder in reversed(done):
        info = os.stat(folder.sources[0])
        os.utime(folder.target, ns=(info.st_atime_ns, info.st_mtime_ns))


def _child(folder: _Folder, name: str) -> _Folder | None:
    """What `name` is in the merged folder, when it is a folder."""
    found: list[str] = []
    below = [path for path in (os.path.join(other, name) for other in folder.below) if os.path.isdir(path) and not os.path.islink(path)]
    for source in folder.sources:
        path = os.path.join(source, name)
        try:
            mode = os.lstat(path).st_mode
        except FileNotFoundError:
            continue
        if not stat.S_ISDIR(mode):
            below = []
            break
        found.append(path)
        if is_opaque(path):
            below = []
            break
    return _Folder(os.path.join(folder.target, name), found, below) if found else None


def _make(folder: _Folder, opaque_mark: str, *, opaque: bool) -> None:
    os.mkdir(folder.target, 0o700)
    copy_metadata(folder.sources[0], folder.target, os.stat(folder.sources[0]))
    if opaque:
        os.setxattr(folder.target, opaque_mark, b"y")


def _link(folder: _Folder, name: str) -> None:
    """Show the uppermost file of that name; a whiteout only where it still hides something."""
    path = next(path for path in (os.path.join(source, name) for source in folder.sources) if os.path.lexists(path))
    if is_whiteout(os.lstat(path)) and not any(os.path.lexists(os.path.join(other, name)) for other in folder.below):
        return
    link_or_copy(path, os.path.join(folder.target, name))
