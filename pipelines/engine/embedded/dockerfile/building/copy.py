"""COPY and ADD as a file operation: sources found by pattern, folders by their content, archives unpacked.

Rule: BuildKit's translation (`dockerfile2llb`) and its copy; its error messages are kept, because programs look for them.
"""

from __future__ import annotations

import asyncio
import posixpath
import stat as modes
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from pipelines.engine.embedded.dockerfile.errors import MissingSource
from pipelines.engine.embedded.dockerfile.instructions.sources import matching
from pipelines.engine.embedded.dockerfile.syntax import chmod
from pipelines.engine.embedded.errors import InvalidInput, NotFound
from pipelines.engine.embedded.ops.files.actions import Action, FolderAction, FolderCopy
from pipelines.engine.embedded.ops.files.owners import copy_owner
from pipelines.engine.embedded.store.host.listing import WILD, TreePart

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from pipelines.engine.embedded.dockerfile.instructions.copy import CopySource, InlineFile
    from pipelines.engine.embedded.ops.interface import ClientSession
    from pipelines.engine.embedded.ops.values.op import Op
    from pipelines.engine.embedded.store.snapshot import Snapshot
    from pipelines.engine.embedded.store.trees.linking import SharedPaths
    from pipelines.engine.embedded.store.trees.pathwalk import NewFolder
    from pipelines.engine.embedded.store.trees.root import Root

Ids = tuple[int, int]
FOLDER_MODE = 0o755


@dataclass(frozen=True)
class CopySources(FolderAction):
    """One COPY or ADD. `base` is where its sources' paths begin in the file system `origin`; `dest` ends in `/` where it is a directory."""

    name: ClassVar[str] = "COPY"
    origin: Op
    base: str
    paths: tuple[CopySource, ...]
    dest: str
    inline: tuple[InlineFile, ...] = ()
    owner: str = ""
    mode: str = ""
    exclude: tuple[str, ...] = ()
    unpack: bool = False
    text: str = ""

    @property
    def sources(self) -> tuple[Op, ...]:  # type: ignore[override]
        return (self.origin,)

    def recipe(self) -> Any:
        paths = [[source.path, source.parents] for source in self.paths]
        return [self.base, paths, *self._target()]

    def _target(self) -> list[Any]:
        inline = [[one.name, one.content] for one in self.inline]
        return [self.dest, inline, self.owner, self.mode, list(self.exclude), self.unpack]

    async def key(self, session: ClientSession, sources: Sequence[Snapshot]) -> Any:
        """By the content of what is copied, so that other files of the context do not matter."""
        found = await asyncio.to_thread(self._look, session, sources[0])
        contents = [
            [path, source.parents, await session.content(sources[0], path, include=_include(source), exclude=self.exclude)]
            for source, paths in found
            for path in paths
        ]
        return ["as BuildKit", self._target(), contents]

    def source_parts(self) -> Sequence[tuple[Op, TreePart | None]]:
        paths = [(posixpath.join(self.base, source.path.lstrip("/")), _include(source)) for source in self.paths]
        return [(self.origin, TreePart(path, include, self.exclude, wild=True)) for path, include in paths]

    def _look(self, session: ClientSession, snapshot: Snapshot) -> list[tuple[CopySource, list[str]]]:
        from pipelines.engine.embedded.store.trees.root import Root

        with session.store.view(snapshot) as view:
            root = Root(view.path)
            return [(source, self._found(root, source)) for source in self.paths]

    def _found(self, root: Root, source: CopySource) -> list[str]:
        """The paths a source names: none for a pattern that nothing matches."""
        try:
            return matching(root, self.base, source.path)
        except NotFound:
            raise _not_found(source.path) from None

    def folder_copy(self) -> FolderCopy | None:
        """One path without wildcards, and nothing else. Whether a folder is there is seen when it is copied."""
        if len(self.paths) != 1 or self.inline or self.paths[0].parents or not WILD.isdisjoint(self.paths[0].path):
            return None
        return FolderCopy(posixpath.join(self.base, self.paths[0].path.lstrip("/")), self.dest)

    def copy(self, root: Root, sources: Sequence[Root], shared: SharedPaths | None) -> None:
        copier = _Copier(root, sources[0], self, shared)
        for source in self.paths:
            for path in self._found(sources[0], source):
                copier.copy(path, source)
        for one in self.inline:
            copier.write(one)

    def __str__(self) -> str:
        return self.text


@dataclass(frozen=True)
class LinkedTree(Action):
    """The tree `upper` laid over what is there, as COPY --link does: links are not followed, folders get the mode they have in it."""

    name: ClassVar[str] = "LINK"
    upper: Op

    @property
    def sources(self) -> tuple[Op, ...]:  # type: ignore[override]
        return (self.upper,)

    def recipe(self) -> Any:
        return []

    def apply(self, root: Root, sources: Sequence[Root], /) -> None:
        from pipelines.engine.embedded.store.trees.merge import overlay

        overlay(sources[0], root)


class _Copier:
    """Copies into one tree, as one COPY says."""

    def __init__(self, root: Root, origin: Root, action: CopySources, shared: SharedPaths | None) -> None:
        self._root = root
        self._origin = origin
        self._shared = shared
        self._action = action
        self._owner = copy_owner(root, action.owner) if action.owner else None

    def copy(self, path: str, source: CopySource) -> None:
        """One path that is there."""
        if modes.S_ISDIR(self._origin.stat(path).st_mode):
            self._folder(path, source)
        elif not (self._action.unpack and self._unpacked(path)):
            self._file(path)

    def write(self, inline: InlineFile) -> None:
        """A file whose content is in the Dockerfile."""
        target = self._target(inline.name)
        rel = "/" + posixpath.relpath(target, self._root.path)
        if not self._root.remove_file(rel):
            raise InvalidInput(f"cannot replace to directory {rel} with file")
        uid, gid = self._owner or (None, None)
        self._root.write(rel, inline.content.encode(), mode=self._permissions(modes.S_IFREG | 0o644), uid=uid, gid=gid)

    def _folder(self, path: str, source: CopySource) -> None:
        from pipelines.engine.embedded.store.trees.merge import merge_folder

        dest = self._action.dest
        if _kind(self._root, dest) not in {0, modes.S_IFDIR}:
            raise InvalidInput(f"cannot copy to non-directory: {dest.rstrip('/')}")
        self._root.mkdirs(dest, self._make().mode, *(self._owner or (None, None)))
        count = merge_folder(
            self._origin,
            path,
            self._root,
            dest,
            include=_include(source),
            exclude=self._action.exclude,
            owner=self._owner,
            permissions=self._permissions if self._action.mode else None,
            shared=self._shared,
        )
        if source.required and not count and not self._action.exclude:
            raise _not_found(posixpath.join(source.path, source.parents or ""))

    def _file(self, path: str) -> None:
        from pipelines.engine.embedded.store.trees.merge import merge_file

        target = self._target(posixpath.basename(path))
        permissions = self._permissions if self._action.mode else None
        merge_file(self._origin, path, self._root, target, owner=self._owner, permissions=permissions)

    def _target(self, name: str) -> str:
        """Where a file called `name` goes, as a path outside; the folders on the way are made."""
        dest, make = self._action.dest, self._make()
        place = self._root.locate(dest, make=make)
        if not dest.endswith("/") and _kind(self._root, dest) != modes.S_IFDIR:
            return str(place)
        return str(self._root.locate(posixpath.join(dest, name), follow=False, make=make))

    def _unpacked(self, path: str) -> bool:
        """Unpack a tar archive (compressed or not) into the destination; False where it is something else."""
        from pipelines.engine.embedded.images.packing.archive import unpack_archive

        if not modes.S_ISREG(self._origin.stat(path).st_mode):
            return False
        with self._origin.open(path) as file:
            return unpack_archive(file, self._root, self._action.dest, self._owner)

    def _make(self) -> NewFolder:
        """How missing folders of the destination are made: an octal --chmod and --chown count for them too."""
        from pipelines.engine.embedded.store.trees.pathwalk import NewFolder

        mode = self._action.mode
        return NewFolder(int(mode, 8) & 0o777 if mode.isdecimal() else FOLDER_MODE, self._owner)

    @property
    def _permissions(self) -> Callable[[int], int]:
        text = self._action.mode
        return lambda mode: chmod.apply(text, modes.S_IMODE(mode), directory=modes.S_ISDIR(mode))


def _include(source: CopySource) -> tuple[str, ...]:
    return (source.parents,) if source.parents else ()


def _kind(root: Root, path: str) -> int:
    """The type of what is at a path, links followed; 0 for nothing."""
    try:
        return modes.S_IFMT(root.stat(path.rstrip("/") or "/").st_mode)
    except NotFound:
        return 0


def _not_found(path: str) -> MissingSource:
    return MissingSource(f"failed to copy source directory: lstat {path}: no such file or directory")
