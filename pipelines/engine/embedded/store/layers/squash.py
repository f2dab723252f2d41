"""Squash: a deep stack of layers made shallow by merging its upper half, with hard links, so no content is copied."""

from __future__ import annotations

import hashlib
import os
import stat
from typing import TYPE_CHECKING, NamedTuple

from pipelines.engine.embedded.store.snapshot import MAX_DEPTH, Snapshot
from pipelines.engine.embedded.store.trees.copyfile import copy_metadata, link_or_copy
from pipelines.engine.embedded.store.trees.measure import is_opaque, is_whiteout

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from pipelines.engine.embedded.store.layers.layer_store import LayerStore

KEPT = MAX_DEPTH // 2  # layers at the bottom that stay: an image's own, most of the time, so they are not repeated


def squash(layers: LayerStore, opaque_mark: str, snapshot: Snapshot) -> Snapshot:
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
        below: the folders under it that the stack below shows, uppermost first.
        hides: it has to be opaque: the stack below has a folder there that must not be seen.
    """

    target: str
    sources: list[str]
    below: list[str]
    hides: bool = False


def merge(above: Sequence[Path], below: Sequence[Path], target: Path, opaque_mark: str) -> None:
    """Write into the empty folder `target` one layer that shows, on top of `below`, what the stack `above` (bottom first) shows."""
    pending = [_Folder(str(target), [str(path) for path in reversed(above)], [str(path) for path in reversed(below)])]
    done: list[_Folder] = []
    while pending:
        folder = pending.pop()
        done.append(folder)
        for name, holders in sorted(_names(folder.sources).items()):
            child = _child(folder, name, holders)
            if child.sources:
                _make(child, opaque_mark)
                pending.append(child)
            else:
                _link(folder, name, holders[0])
    for folder in reversed(done):
        info = os.stat(folder.sources[0])
        os.utime(folder.target, ns=(info.st_atime_ns, info.st_mtime_ns))


def _names(folders: Sequence[str]) -> dict[str, list[str]]:
    """Every name in `folders`, with those that have it: in a deep stack most names are in one folder, looking in each takes long."""
    holders: dict[str, list[str]] = {}
    for folder in folders:
        for name in os.listdir(folder):
            holders.setdefault(name, []).append(folder)
    return holders


def _child(folder: _Folder, name: str, holders: Sequence[str]) -> _Folder:
    """What `name` is in the merged folder; without sources when it is not a folder."""
    target = os.path.join(folder.target, name)
    sources, ends = _merging(holders, name)
    if not sources:
        return _Folder(target, [], [])
    below, _ = _merging(folder.below, name)
    return _Folder(target, sources, [] if ends else below, hides=ends and bool(below))


def _merging(folders: Sequence[str], name: str) -> tuple[list[str], bool]:
    """The folders called `name` that overlayfs merges, in folders given uppermost first; and whether they hide all further down."""
    found: list[str] = []
    for folder in folders:
        path = os.path.join(folder, name)
        mode = _mode(path)
        if mode == 0:
            continue
        if not stat.S_ISDIR(mode):
            return found, True
        found.append(path)
        if is_opaque(path):
            return found, True
    return found, False


def _mode(path: str) -> int:
    try:
        return os.lstat(path).st_mode
    except FileNotFoundError:
        return 0


def _make(folder: _Folder, opaque_mark: str) -> None:
    os.mkdir(folder.target, 0o700)
    copy_metadata(folder.sources[0], folder.target, os.stat(folder.sources[0]))
    if folder.hides:
        os.setxattr(folder.target, opaque_mark, b"y")


def _link(folder: _Folder, name: str, holder: str) -> None:
    """Show the uppermost file of that name. A whiteout only where it hides something: where it does not, listings would show it."""
    path = os.path.join(holder, name)
    if is_whiteout(os.lstat(path)):
        hidden = _uppermost(folder.below, name)
        if not hidden or is_whiteout(os.lstat(hidden)):
            return
    link_or_copy(path, os.path.join(folder.target, name))


def _uppermost(folders: Sequence[str], name: str) -> str:
    paths = (os.path.join(folder, name) for folder in folders)
    return next((path for path in paths if os.path.lexists(path)), "")
