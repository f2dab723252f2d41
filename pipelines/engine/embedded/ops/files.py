"""The file operations of containers and directories."""

from __future__ import annotations

import posixpath
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar

from pipelines.engine.embedded.ops.actions import Action, ActionOp
from pipelines.engine.embedded.ops.op import SCRATCH_OP, Op
from pipelines.engine.embedded.ops.owners import owner_ids
from pipelines.engine.embedded.store.host.listing import TreePart

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pipelines.engine.embedded.ops.session import Session
    from pipelines.engine.embedded.ops.states import DirectoryState, FileState
    from pipelines.engine.embedded.store.snapshot import Snapshot
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
    """Files or directories by path or pattern; what is not there is not missed."""

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


@dataclass(frozen=True)
class CopyDirectory(Action):
    """The content of a directory of another file system, merged into `path`."""

    name: ClassVar[str] = "copy"
    path: str
    source: Op
    source_path: str
    include: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    gitignore: bool = False
    owner: str = ""
    permissions: int | None = None

    @property
    def sources(self) -> tuple[Op, ...]:  # type: ignore[override]
        return (self.source,)

    def recipe(self) -> Any:
        filters = [list(self.include), list(self.exclude), self.gitignore]
        return [self.path, self.source_path, filters, self.owner, self.permissions]

    async def key(self, session: Session, sources: Sequence[Snapshot]) -> Any:
        content = await session.content(sources[0], self.source_path, include=self.include, exclude=self.exclude, gitignore=self.gitignore)
        return [self.path, content, self.owner, self.permissions]

    def parts(self) -> Sequence[tuple[Op, TreePart | None]]:
        return [(self.source, TreePart(self.source_path, include=self.include, exclude=self.exclude))]

    def apply(self, root: Root, sources: Sequence[Root], /) -> None:
        from pipelines.engine.embedded.store.trees.copy import copy_tree

        copy_tree(
            sources[0],
            self.source_path,
            root,
            self.path,
            include=self.include,
            exclude=self.exclude,
            gitignore=self.gitignore,
            owner=owner_ids(root, self.owner) if self.owner else None,
            permissions=self.permissions,
        )


@dataclass(frozen=True)
class CopyFile(Action):
    """One file of another file system; `path` is its new path."""

    name: ClassVar[str] = "copy"
    path: str
    source: Op
    source_path: str
    owner: str = ""
    permissions: int | None = None

    @property
    def sources(self) -> tuple[Op, ...]:  # type: ignore[override]
        return (self.source,)

    def recipe(self) -> Any:
        return [self.path, self.source_path, self.owner, self.permissions]

    async def key(self, session: Session, sources: Sequence[Snapshot]) -> Any:
        return [self.path, await session.content(sources[0], self.source_path), self.owner, self.permissions]

    def parts(self) -> Sequence[tuple[Op, TreePart | None]]:
        return [(self.source, TreePart(self.source_path))]

    def apply(self, root: Root, sources: Sequence[Root], /) -> None:
        from pipelines.engine.embedded.store.trees.copy import copy_file

        root.mkdirs(posixpath.dirname(self.path))
        owner = owner_ids(root, self.owner) if self.owner else None
        copy_file(sources[0], self.source_path, root, self.path, owner=owner, permissions=self.permissions)


def copy_directory(source: DirectoryState, path: str, args: Mapping[str, Any], *, owner: str) -> CopyDirectory:
    """The action of `withDirectory` and its kin, from the API's arguments."""
    return CopyDirectory(
        path,
        source.op,
        source.path,
        tuple(args.get("include") or ()),
        tuple(args.get("exclude") or ()),
        bool(args.get("gitignore")),
        owner,
        args.get("permissions"),
    )


def copy_file(source: FileState, path: str, given: str, permissions: int | None, owner: str) -> CopyFile:
    """The action of `withFile`: a path given with a slash at its end names the folder to put the file into."""
    target = posixpath.join(path, posixpath.basename(source.path)) if given.endswith("/") else path
    return CopyFile(target, source.op, source.path, owner, permissions)


def as_root(state: DirectoryState) -> Op:
    """A directory as a root file system: the file system itself when it is all of it, else a copy."""
    if state.path == "/":
        return state.op
    return ActionOp(SCRATCH_OP, CopyDirectory("/", state.op, state.path))
