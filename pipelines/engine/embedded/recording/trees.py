"""File systems as dictionaries: what a test can know of them without running anything."""

from __future__ import annotations

import fnmatch
import posixpath
import stat
from pathlib import Path
from typing import TYPE_CHECKING

from pipelines.engine.embedded.errors import InvalidInput, NotFound
from pipelines.engine.embedded.ops.files.actions import ActionOp
from pipelines.engine.embedded.ops.files.changeset import ApplyChanges
from pipelines.engine.embedded.ops.files.copies import CopyDirectory, CopyFile
from pipelines.engine.embedded.ops.files.edits import MakeDirectory, MakeSymlink, Remove, WriteFile
from pipelines.engine.embedded.ops.files.patch import ApplyPatch, ApplyPatchFile
from pipelines.engine.embedded.ops.files.replace import ReplaceText
from pipelines.engine.embedded.ops.values.op import Op
from pipelines.engine.embedded.store.host.own_folders import own_folders
from pipelines.engine.embedded.store.selection.patterns import START, Filter
from pipelines.engine.embedded.store.selection.select import select
from pipelines.foundation.regular_files import read_bytes

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from pipelines.engine.embedded.ops.files.actions import Action
    from pipelines.engine.embedded.store.selection.select import SelectedPath

Tree = dict[str, bytes | None]
"""Absolute path -> contents, None for a directory. The root itself is not in it."""


class NamedOp(Op):
    """A file system the recording knows by name only: an image, a build, a repository."""

    kind = "named"
    __slots__ = ("label",)

    def __init__(self, label: str, recipe: object, inputs: Iterable[Op] = ()) -> None:
        super().__init__([label, recipe], tuple(inputs))
        self.label = label

    def describe(self) -> str:
        return self.label


class HostOp(Op):
    """A folder of the host, read when a file of it is asked for."""

    kind = "host"
    __slots__ = ("filters", "path")

    def __init__(self, path: Path, include: tuple[str, ...], exclude: tuple[str, ...]) -> None:
        super().__init__([str(path), include, exclude])
        self.path = path
        self.filters = (include, exclude)

    def tree(self) -> Tree:
        """What is in it now.

        Raises:
            NotFound: it is not there.
        """
        if not self.path.is_dir():
            raise NotFound(f"lstat {self.path}: no such file or directory")
        own = own_folders(self.path)
        found = select(str(self.path), Filter(*self.filters), leave_out=own.identities)
        return {f"/{one.rel}": content for one in found for content in _content(one)}


def _content(found: SelectedPath) -> Iterator[bytes | None]:
    """What the tree has of a path: None for a folder; nothing for a device, a pipe or a socket."""
    if found.is_folder():
        yield None
    elif stat.S_ISLNK(found.info.st_mode):
        yield f"-> {Path(found.path).readlink()}".encode(errors="surrogateescape")
    elif stat.S_ISREG(found.info.st_mode):
        yield read_bytes(found.path, follow=False)


def apply(tree: Tree, action: Action, tree_of: Callable[[Op], Tree]) -> Tree:  # noqa: PLR0911 - one for each operation
    """The tree after a file operation; owners, modes and times are not kept."""
    match action:
        case WriteFile():
            return _put(tree, action.path, action.data)
        case MakeDirectory():
            return _put(tree, action.path, None)
        case MakeSymlink():
            return _put(tree, action.path, f"-> {action.target}".encode())
        case Remove():
            return {path: data for path, data in tree.items() if not _is_below(path, action.path)}
        case CopyFile():
            return _put(tree, action.path, read(tree_of(action.source), action.source_path))
        case CopyDirectory():
            return _merged(tree, action, below(tree_of(action.source), action.source_path))
        case ReplaceText():
            return _put(tree, action.path, action.replaced(read(tree, action.path)))
        case ApplyChanges():
            before, after = (below(tree_of(one.op), one.path) for one in (action.changes.before, action.changes.after))
            return _changed(tree, action.path, before, after)
        case ApplyPatch() | ApplyPatchFile():
            raise InvalidInput("a recording does not apply patches: give the files themselves")
        case _:
            return tree


def _put(tree: Tree, path: str, data: bytes | None) -> Tree:
    parents = {parent: None for parent in _parents(path) if parent not in tree}
    return tree | parents | ({path: data} if path != "/" else {})


def _parents(path: str) -> list[str]:
    parts = path.strip("/").split("/")[:-1]
    return ["/" + "/".join(parts[: index + 1]) for index in range(len(parts))]


def _changed(tree: Tree, base: str, before: Tree, after: Tree) -> Tree:
    gone = [posixpath.join(base, path) for path in before.keys() - after.keys()]
    result = {path: data for path, data in tree.items() if not any(path == one or path.startswith(f"{one}/") for one in gone)}
    for path in sorted(after):
        if path not in before or before[path] != after[path]:
            result = _put(result, posixpath.join(base, path), after[path])
    return result


def _is_below(path: str, pattern: str) -> bool:
    return any(fnmatch.fnmatchcase(one, pattern) for one in (path, *_parents(path)))


def _merged(tree: Tree, action: CopyDirectory, source: Tree) -> Tree:
    filters = Filter(action.include, action.exclude)
    states = {"": START}
    result = _put(tree, action.path, None)
    for relative in sorted(source):
        visit = filters.visit(relative, states.get(posixpath.dirname(relative), START))
        states[relative] = visit.state
        if visit.included:
            result = _put(result, posixpath.join(action.path, relative), source[relative])
    return result


def below(tree: Tree, path: str) -> Tree:
    """What is in a directory, paths relative to it.

    Raises:
        NotFound: no such directory.
    """
    if path != "/" and tree.get(path, b"") is not None:
        raise NotFound.stat(path.lstrip("/"))
    prefix = path.rstrip("/") + "/"
    return {name.removeprefix(prefix): data for name, data in tree.items() if name.startswith(prefix)}


def read(tree: Tree, path: str) -> bytes:
    """A file's contents.

    Raises:
        NotFound: no such file.
    """
    data = tree.get(path)
    if data is None:
        raise NotFound.stat(path.lstrip("/"))
    return data


def grown(op: Op, cache: dict[str, Tree], fallback: Callable[[Op], Tree]) -> Tree:
    """The tree of an op, evaluated without recursion along chains of file operations."""
    chain: list[ActionOp] = []
    base = op
    while isinstance(base, ActionOp) and base.digest not in cache:
        chain.append(base)
        base = base.inputs[0]
    tree = cache[base.digest] if base.digest in cache else fallback(base)
    for link in reversed(chain):
        tree = apply(tree, link.action, lambda source: grown(source, cache, fallback))
    cache[op.digest] = tree
    return tree
