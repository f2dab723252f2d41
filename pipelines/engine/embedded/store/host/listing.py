"""What a folder of the host holds, path by path, and the parts of it that operations look at.

A listing says by path what counts: the mode, and the hash of a file's bytes or a link's target. Two listings that are equal for a part give
the same content there.
"""

from __future__ import annotations

import itertools
import posixpath
import stat
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

from pipelines.engine.embedded.store.selection.patterns import START, Filter, name_pattern

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

Files = dict[str, tuple[str, str]]
WILD = frozenset("*?[\\")


class TreePart(NamedTuple):
    """A part of a tree: what is at `path` (and below it), less what the patterns, relative to it, leave out.

    With `wild`, `path` has wildcards within names and names everything that matches.
    """

    path: str
    include: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    wild: bool = False

    @classmethod
    def from_json(cls, data: list[Any]) -> TreePart:
        """The inverse of what `json` makes of it."""
        path, include, exclude, wild = data
        return cls(path, tuple(include), tuple(exclude), wild)


@dataclass(frozen=True, slots=True)
class Listing:
    """A folder as it was read: `base`, with what was left out of it, and what it held by relative path."""

    base: str
    include: tuple[str, ...]
    exclude: tuple[str, ...]
    gitignore: bool
    files: Files

    def to_json(self) -> dict[str, Any]:
        """As plain JSON values."""
        return {
            "base": self.base,
            "include": list(self.include),
            "exclude": list(self.exclude),
            "gitignore": self.gitignore,
            "files": {rel: list(entry) for rel, entry in self.files.items()},
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Listing:
        """The inverse."""
        files = {rel: (mode, content) for rel, (mode, content) in data["files"].items()}
        return cls(data["base"], tuple(data["include"]), tuple(data["exclude"]), data["gitignore"], files)


def without_common(old: Files, new: Files) -> tuple[Files, Files]:
    """Two trees without what they have in common: small, where little changed in a large folder.

    What differs stays, with the folders it lies in, and all links (see `files_in_parts`), so that any part of the one differs from the same
    part of the other exactly when it did before. Where a folder itself is not as it was, all stays: it counts when anything in it does.
    """
    changed = {rel for rel in old.keys() | new.keys() if old.get(rel) != new.get(rel)}
    if any(rel in old and rel in new and _is(stat.S_ISDIR, old[rel]) for rel in changed):
        return old, new
    kept = {path for rel in changed for path in _with_parents(rel)}
    return _only(old, kept), _only(new, kept)


def _only(files: Files, kept: set[str]) -> Files:
    return {rel: entry for rel, entry in files.items() if rel in kept or _is(stat.S_ISLNK, entry)}


def _is(kind: Callable[[int], bool], entry: tuple[str, str]) -> bool:
    return kind(int(entry[0], 8))


def files_in_parts(files: Files, tree_parts: Iterable[TreePart]) -> Files:
    """The part of a tree that counts. Where a path leads through a link, everything counts: it may lead anywhere."""
    for part in tree_parts:
        tops = sorted(_tops(files, part))
        if any(_through_link(files, path) for path in (_fixed(part), *tops)):
            return files
        files = {rel: entry for top in tops for rel, entry in _below(files, top, part)}
    return files


def _fixed(part: TreePart) -> str:
    """The path of a part up to its first wildcard. Up to there a link is followed, so that nothing has to match below its own name."""
    names = posixpath.normpath("/" + part.path).lstrip("/").split("/")
    return "/".join(itertools.takewhile(lambda name: not part.wild or WILD.isdisjoint(name), names))


def _tops(files: Files, part: TreePart) -> Iterator[str]:
    """The paths that a part names, relative, "" for the whole tree; one that is not there is named all the same."""
    path = posixpath.normpath("/" + part.path).lstrip("/")
    if not part.wild or WILD.isdisjoint(path):
        yield path
        return
    fitting = [name_pattern(name) if not WILD.isdisjoint(name) else name.__eq__ for name in path.split("/")]
    for rel in files:
        names = rel.split("/")
        if rel == path or (len(names) == len(fitting) and all(fits(name) for fits, name in zip(fitting, names, strict=True))):
            yield rel


def _through_link(files: Files, top: str) -> bool:
    return any(rel in files and _is(stat.S_ISLNK, files[rel]) for rel in _with_parents(top))


def _below(files: Files, top: str, part: TreePart) -> Iterator[tuple[str, tuple[str, str]]]:
    """The path itself and all below it that passes, with its folders. Paths keep their names: another name is something else."""
    if top in files:
        yield top, files[top]
    prefix = f"{top}/" if top else ""
    filters = Filter(part.include, part.exclude)
    judged: dict[str, tuple[bool, Any]] = {"": (True, START)}
    for rel, entry in files.items():
        if rel == top or not rel.startswith(prefix):
            continue
        if filters.everything:
            yield rel, entry
        elif _judge(filters, rel.removeprefix(prefix), judged)[0]:
            yield from ((path, files[path]) for path in _with_parents(rel) if path in files and len(path) > len(top))


def _with_parents(rel: str) -> Iterator[str]:
    """The folders a path lies in, outermost first, and the path itself."""
    names = rel.split("/")
    return ("/".join(names[:count]) for count in range(1, len(names) + 1))


def _judge(filters: Filter, rel: str, judged: dict[str, tuple[bool, Any]]) -> tuple[bool, Any]:
    """Whether a path passes, and its state for what lies in it; every folder on its path is judged before it, once."""
    if rel not in judged:
        missing = [path for path in _with_parents(rel) if path not in judged]
        for path in missing:
            included, _, state = filters.visit(path, judged[posixpath.dirname(path)][1])
            judged[path] = (bool(included), state)
    return judged[rel]
