"""COPY and ADD as a file operation: sources found by pattern, directories by their content, archives unpacked."""

from __future__ import annotations

import asyncio
import posixpath
import stat as modes
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from pipelines.engine.embedded.dockerfile import chmod
from pipelines.engine.embedded.errors import NotFound
from pipelines.engine.embedded.ops.actions import Action
from pipelines.engine.embedded.ops.owners import owner_ids
from pipelines.engine.embedded.store.listing import Narrow

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pipelines.engine.embedded.dockerfile.copying import Inline, Source
    from pipelines.engine.embedded.ops.op import Op
    from pipelines.engine.embedded.ops.session import Session
    from pipelines.engine.embedded.store.paths import Root
    from pipelines.engine.embedded.store.snapshot import Snapshot

Ids = tuple[int, int]
WILD = frozenset("*?[\\")


@dataclass(frozen=True)
class CopySources(Action):
    """One COPY or ADD. `base` is where its sources' paths begin in the file system `origin`; `dest` ends in `/` where it is a directory."""

    name: ClassVar[str] = "COPY"
    origin: Op
    base: str
    paths: tuple[Source, ...]
    dest: str
    inline: tuple[Inline, ...] = ()
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

    async def key(self, session: Session, sources: Sequence[Snapshot]) -> Any:
        """By the content of what is copied, so that other files of the context do not matter."""
        found = await asyncio.to_thread(self._look, session, sources[0])
        contents = [
            [path, kept, await session.content(sources[0], path, exclude=self.exclude)] for source in found for path, kept in source
        ]
        return [self._target(), contents]

    def parts(self) -> Sequence[tuple[Op, Narrow | None]]:
        paths = [(posixpath.join(self.base, source.path.lstrip("/")), source.parents or "") for source in self.paths]
        return [(self.origin, Narrow(path, below, exclude=self.exclude, wild=True)) for path, below in paths]

    def _look(self, session: Session, snapshot: Snapshot) -> list[list[tuple[str, str]]]:
        from pipelines.engine.embedded.store.paths import Root

        with session.store.view(snapshot) as view:
            return self._found(Root(view.path))

    def _found(self, root: Root) -> list[list[tuple[str, str]]]:
        """For each source the paths it names and, with --parents, the folder below the destination they keep."""
        found = []
        for source in self.paths:
            pattern = posixpath.join(self.base, source.path.lstrip("/"))
            if source.parents is not None:
                full = _matching(root, posixpath.join(pattern, source.parents))
                matches = [(path, posixpath.dirname(posixpath.relpath(path, pattern))) for path in full]
            else:
                matches = [(path, "") for path in _matching(root, pattern)]
            if not matches:
                raise NotFound(f"failed to copy source directory: lstat {source.path}: no such file or directory")
            found.append(matches)
        return found

    def apply(self, root: Root, sources: Sequence[Root], /) -> None:
        ids = owner_ids(root, self.owner)
        matches = [match for source in self._found(sources[0]) for match in source]
        many = len(matches) + len(self.inline) > 1
        dest = self.dest if self.dest.endswith("/") or not (many or _is_directory(root, self.dest)) else f"{self.dest}/"
        for path, kept in matches:
            self._copy(sources[0], path, root, posixpath.join(dest, kept) + "/" if kept else dest, ids)
        for one in self.inline:
            target = posixpath.join(dest, one.name) if dest.endswith("/") else dest
            self._parents(root, target, ids)
            root.write(target, one.content.encode(), mode=self._mode(0o644), uid=ids[0], gid=ids[1])

    def _copy(self, source: Root, path: str, root: Root, dest: str, ids: Ids) -> None:
        from pipelines.engine.embedded.store.copy import copy_file, copy_tree

        kind = source.stat(path).st_mode
        if modes.S_ISDIR(kind):
            self._parents(root, posixpath.join(dest, "x"), ids)
            copy_tree(source, path, root, dest, exclude=self.exclude, owner=ids)
            self._chmod(source, path, root, dest)
            return
        if self.unpack and self._unpacked(source, path, root, dest):
            return
        target = posixpath.join(dest, posixpath.basename(path)) if dest.endswith("/") else dest
        self._parents(root, target, ids)
        copy_file(source, path, root, target, owner=ids, permissions=self._mode(modes.S_IMODE(kind)) if self.mode else None)

    def _chmod(self, source: Root, path: str, root: Root, dest: str) -> None:
        """--chmod counts for everything copied, not for what was there before."""
        if not self.mode:
            return
        for relative, status in source.walk(path):
            if not modes.S_ISLNK(status.st_mode):
                mode = chmod.apply(self.mode, modes.S_IMODE(status.st_mode), directory=modes.S_ISDIR(status.st_mode))
                root.locate(posixpath.join(dest, relative)).chmod(mode)

    def _unpacked(self, source: Root, path: str, root: Root, dest: str) -> bool:
        """Unpack `path` into the directory `dest`, when it is a tar archive (compressed or not)."""
        from pipelines.engine.embedded.images.archive import unpack_archive

        with source.open(path) as file:
            return unpack_archive(file, root, dest)

    def _mode(self, mode: int) -> int:
        return chmod.apply(self.mode, mode, directory=False) if self.mode else mode

    def _parents(self, root: Root, path: str, ids: Ids) -> None:
        root.mkdirs(posixpath.dirname(path), uid=ids[0], gid=ids[1])

    def __str__(self) -> str:
        return self.text


def _is_directory(root: Root, path: str) -> bool:
    try:
        return modes.S_ISDIR(root.stat(path).st_mode)
    except NotFound:
        return False


def _matching(root: Root, pattern: str) -> list[str]:
    """Paths that are there and match: `*`, `?` and `[…]` within names. A path that is there by that very name is meant literally."""
    from pipelines.engine.embedded.store.patterns import name_pattern

    if _is_there(root, pattern):
        return [pattern]
    found = ["/"]
    for part in posixpath.normpath(pattern).split("/")[1:]:
        if WILD.isdisjoint(part):
            found = [posixpath.join(path, part) for path in found]
        else:
            fits = name_pattern(part)
            found = [posixpath.join(path, name) for path in found if _is_directory(root, path) for name in root.listdir(path) if fits(name)]
    return [path for path in found if _is_there(root, path)]


def _is_there(root: Root, path: str) -> bool:
    try:
        root.stat(path, follow=False)
    except NotFound:
        return False
    return True
