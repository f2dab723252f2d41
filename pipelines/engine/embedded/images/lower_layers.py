"""What a layer takes from those below: owners of folders it only mentions, files it links to, and what its whiteouts hide.

Most layers take nothing. Where one does, a copy of it (hard links, so nearly free) is completed for the stack it stands on.
"""

from __future__ import annotations

import os
import stat
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from pipelines.engine.embedded.store.trees.copyfile import copy_metadata, link_or_copy
from pipelines.engine.embedded.store.trees.measure import MARKS, is_opaque, is_whiteout, xattrs
from pipelines.engine.embedded.tars import Damaged, shown

if TYPE_CHECKING:
    from collections.abc import Sequence

DEFAULT_MODE = 0o755


class LowerLayerUses(Protocol):
    """What a layer takes from those below; see ``unpack.Unpacked``."""

    @property
    def implied(self) -> Sequence[str]: ...

    @property
    def links(self) -> Sequence[tuple[str, str]]: ...

    @property
    def whiteouts(self) -> Sequence[str]: ...


@dataclass(frozen=True, slots=True)
class Completion:
    """What is to be completed.

    Attributes:
        folders: folder → the folder below whose owner, mode and attributes it takes.
        links: name → the file below that it is another name of.
        idle: whiteouts of what the layers below have not. Overlayfs would list them in a folder that only this layer has.
    """

    folders: dict[str, str] = field(default_factory=dict)
    links: dict[str, str] = field(default_factory=dict)
    idle: set[str] = field(default_factory=set)

    def __bool__(self) -> bool:
        return bool(self.folders or self.links or self.idle)


def missing(below: Sequence[str], layer: str, uses: LowerLayerUses) -> Completion:
    """Look up in the layers below (bottom first) what a layer takes from them.

    Raises:
        Damaged: a hard link leads to no file.
    """
    found = Completion(idle={name for name in uses.whiteouts if not _hides(below, layer, name)})
    for name in uses.implied:
        path = visible(below, name)
        if path is not None and _special(path):
            found.folders[name] = path
    for name, target in uses.links:
        path = visible(below, target)
        if path is None or not stat.S_ISREG(os.lstat(path).st_mode):
            raise Damaged(f"{shown(name)}: is a hard link to {shown(target)}, which is not a file there")
        found.links[name] = path
    return found


def _hides(below: Sequence[str], layer: str, name: str) -> bool:
    """Whether there is something for a whiteout to hide: the layers below have it, and no folder on the way hides it already."""
    path_parts = name.split("/")[:-1]
    folders = ["/".join(path_parts[: number + 1]) for number in range(len(path_parts))]
    return visible(below, name) is not None and not any(is_opaque(f"{layer}/{folder}") for folder in folders)


def visible(layers: Sequence[str], name: str) -> str | None:
    """The path of what a stack of layers shows under a name; None where that is nothing."""
    path_parts = name.split("/")
    for layer in reversed(layers):
        path, hidden = _probe(layer, path_parts)
        if path is not None or hidden:
            return path
    return None


def _probe(layer: str, path_parts: list[str]) -> tuple[str | None, bool]:
    """What one layer has there, and whether it hides what the layers below have."""
    path, hidden = layer, False
    for number, part in enumerate(path_parts):
        path = f"{path}/{part}"
        try:
            info = os.lstat(path)
        except FileNotFoundError:
            return None, hidden
        if is_whiteout(info):
            return None, True
        if not stat.S_ISDIR(info.st_mode):
            last = number == len(path_parts) - 1
            return (path, True) if last else (None, True)
        hidden = hidden or is_opaque(path)
    return path, True


def _special(path: str) -> bool:
    """Whether a folder differs from one that was just made."""
    info = os.lstat(path)
    attributes = [name for name in xattrs(path) if not name.startswith(MARKS)]
    return stat.S_ISDIR(info.st_mode) and (
        stat.S_IMODE(info.st_mode) != DEFAULT_MODE or (info.st_uid, info.st_gid) != (0, 0) or bool(attributes)
    )


def complete(layer: str, target: str, what: Completion) -> None:
    """Write the completed copy of a layer into an empty folder."""
    times: list[tuple[str, str]] = []
    pending = [""]
    while pending:
        folder = pending.pop()
        with os.scandir(layer + folder) as entries:
            for entry in entries:
                path = f"{folder}/{entry.name}"
                if entry.is_dir(follow_symlinks=False):
                    os.mkdir(target + path, 0o700)
                    pending.append(path)
                    times.append((layer + path, what.folders.get(path[1:], layer + path)))
                elif path[1:] not in what.links and path[1:] not in what.idle:
                    link_or_copy(layer + path, target + path)
    for name, path in what.links.items():
        link_or_copy(path, f"{target}/{name}")
    for own, source in reversed(times):
        _apply_attributes(own, source, target + own[len(layer) :])


def _apply_attributes(own: str, source: str, copy: str) -> None:
    copy_metadata(source, copy, os.lstat(source))
    for mark in (name for name in xattrs(own) if name.startswith(MARKS)):
        os.setxattr(copy, mark, os.getxattr(own, mark))
