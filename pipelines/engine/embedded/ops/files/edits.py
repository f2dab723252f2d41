"""The file operations of containers and directories."""

from __future__ import annotations

import posixpath
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar

from pipelines.engine.embedded.ops.files.actions import Action
from pipelines.engine.embedded.ops.files.owners import owner_ids

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pipelines.engine.embedded.store.trees.root import Root


@dataclass(frozen=True)
class WriteFile(Action):
    """A file with given contents; missing parents are made."""

    name: ClassVar[str] = "write"
    path: str
    data: bytes = field(repr=False)
    mode: int = 0o644
    owner: str = ""

    def recipe(self) -> Any:
        return [self.path, self.data, self.mode, self.owner]

    def apply(self, root: Root, _: Sequence[Root], /) -> None:
        uid, gid = owner_ids(root, self.owner)
        root.mkdirs(posixpath.dirname(self.path))
        root.write(self.path, self.data, mode=self.mode, uid=uid, gid=gid)


@dataclass(frozen=True)
class MakeDirectory(Action):
    """A directory, with those it lies in; one that is there stays as it is."""

    name: ClassVar[str] = "mkdir"
    path: str
    mode: int = 0o755
    owner: str = ""

    def recipe(self) -> Any:
        return [self.path, self.mode, self.owner]

    def apply(self, root: Root, _: Sequence[Root], /) -> None:
        uid, gid = owner_ids(root, self.owner)
        root.mkdirs(self.path, mode=self.mode, uid=uid, gid=gid)


@dataclass(frozen=True)
class Remove(Action):
    """Files or directories by path or pattern; where nothing is there, nothing is done."""

    name: ClassVar[str] = "remove"
    path: str

    def recipe(self) -> Any:
        return [self.path]

    def apply(self, root: Root, _: Sequence[Root], /) -> None:
        for path in root.matching(self.path):
            root.remove_tree(path)


@dataclass(frozen=True)
class MakeSymlink(Action):
    """A symbolic link at `path`; `target` is stored as it is."""

    name: ClassVar[str] = "symlink"
    path: str
    target: str

    def recipe(self) -> Any:
        return [self.path, self.target]

    def apply(self, root: Root, _: Sequence[Root], /) -> None:
        root.mkdirs(posixpath.dirname(self.path))
        root.symlink(self.target, self.path)


@dataclass(frozen=True)
class Timestamps(Action):
    """Every file below `path` (and `path`) gets one time of change, in seconds since 1970."""

    name: ClassVar[str] = "timestamps"
    path: str
    seconds: int

    def recipe(self) -> Any:
        return [self.path, self.seconds]

    def apply(self, root: Root, _: Sequence[Root], /) -> None:
        root.set_times(self.path, self.seconds)


@dataclass(frozen=True)
class Chown(Action):
    """Everything below `path` (and `path`) gets an owner."""

    name: ClassVar[str] = "chown"
    path: str
    owner: str

    def recipe(self) -> Any:
        return [self.path, self.owner]

    def apply(self, root: Root, _: Sequence[Root], /) -> None:
        uid, gid = owner_ids(root, self.owner)
        root.chown(self.path, uid, gid, recursive=True)
