"""Copies from one file system into another."""

from __future__ import annotations

import posixpath
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar

from pipelines.engine.embedded.ops.files.actions import ActionOp, FolderAction, FolderCopy, SourceAction
from pipelines.engine.embedded.ops.files.owners import owner_ids
from pipelines.engine.embedded.ops.values.op import SCRATCH_OP, Op
from pipelines.engine.embedded.store.host.listing import TreePart

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pipelines.engine.embedded.ops.interface import ClientSession
    from pipelines.engine.embedded.ops.values.states import DirectoryState, FileState
    from pipelines.engine.embedded.store.snapshot import Snapshot
    from pipelines.engine.embedded.store.trees.linking import SharedPaths
    from pipelines.engine.embedded.store.trees.root import Root


@dataclass(frozen=True)
class _Copy(SourceAction):
    """What both kinds of copies have: the owner (`user[:group]`) and the permission bits that copied files get, or keep."""

    name: ClassVar[str] = "copy"
    owner: str = field(default="", kw_only=True)
    permissions: int | None = field(default=None, kw_only=True)

    def _options(self) -> list[Any]:
        return [self.owner, self.permissions]

    def _owner(self, root: Root) -> tuple[int, int] | None:
        return owner_ids(root, self.owner) if self.owner else None


@dataclass(frozen=True)
class CopyDirectory(_Copy, FolderAction):
    """The content of a directory of another file system, merged into `path`. `include` and `exclude` are patterns below `source_path`."""

    include: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    gitignore: bool = False

    def recipe(self) -> Any:
        return [self.path, self.source_path, [list(self.include), list(self.exclude), self.gitignore], *self._options()]

    async def key(self, session: ClientSession, sources: Sequence[Snapshot]) -> Any:
        content = await session.content(sources[0], self.source_path, include=self.include, exclude=self.exclude, gitignore=self.gitignore)
        return [self.path, content, *self._options()]

    def source_parts(self) -> Sequence[tuple[Op, TreePart | None]]:
        return [(self.source, TreePart(self.source_path, include=self.include, exclude=self.exclude))]

    def folder_copy(self) -> FolderCopy | None:
        return None if self.gitignore else FolderCopy(self.source_path, self.path)

    def copy(self, root: Root, sources: Sequence[Root], shared: SharedPaths | None) -> None:
        from pipelines.engine.embedded.store.trees.copy import copy_tree

        copy_tree(
            sources[0],
            self.source_path,
            root,
            self.path,
            include=self.include,
            exclude=self.exclude,
            gitignore=self.gitignore,
            owner=self._owner(root),
            permissions=self.permissions,
            shared=shared,
        )


@dataclass(frozen=True)
class CopyFile(_Copy):
    """One file of another file system; `path` is its new path."""

    def apply(self, root: Root, sources: Sequence[Root], /) -> None:
        from pipelines.engine.embedded.store.trees.copy import copy_file

        root.mkdirs(posixpath.dirname(self.path))
        copy_file(sources[0], self.source_path, root, self.path, owner=self._owner(root), permissions=self.permissions)


def copy_directory(source: DirectoryState, path: str, args: Mapping[str, Any], *, owner: str) -> CopyDirectory:
    """The action of `withDirectory` and similar fields, from the API's arguments."""
    return CopyDirectory(
        path,
        source.op,
        source.path,
        tuple(args.get("include") or ()),
        tuple(args.get("exclude") or ()),
        bool(args.get("gitignore")),
        owner=owner,
        permissions=args.get("permissions"),
    )


def copy_file(source: FileState, path: str, written: str, permissions: int | None, owner: str) -> CopyFile:
    """The action of `withFile`: a path written with a slash at its end names the folder to put the file into."""
    target = posixpath.join(path, posixpath.basename(source.path)) if written.endswith("/") else path
    return CopyFile(target, source.op, source.path, owner=owner, permissions=permissions)


def as_root(state: DirectoryState) -> Op:
    """A directory as a root file system: the file system itself when it is all of it, else a copy."""
    if state.path == "/":
        return state.op
    return ActionOp(SCRATCH_OP, CopyDirectory("/", state.op, state.path))
