"""What a folder of the host holds, path by path, and the parts of it that operations look at.

A listing says by path what counts: the mode, and the hash of a file's bytes or a link's target. Two listings that are equal for a part give
the same content there.
"""

from __future__ import annotations

import posixpath
import stat
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from pipelines.engine.embedded.store.patterns import START, Filter, name_pattern

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

Files = dict[str, tuple[str, str]]
WILD = frozenset("*?[\\")


class Narrow(NamedTuple):
    """A part of a tree: what is at `path` (and below it), less what the patterns, relative to it, leave out.

    With `wild`, `path` has wildcards within names and names everything that matches; `below` (of COPY --parents) goes on from there.
    """

    path: str
    below: str = ""
    include: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    wild: bool = False

    @classmethod
    def from_json(cls, data: list[Any]) -> Narrow:
        """The inverse of what `json` makes of it."""
        path, below, include, exclude, wild = data
        return cls(path, below, tuple(include), tuple(exclude), wild)


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


def now(listing: Listing, index: Any) -> Files | None:
    """What the same folder holds now, read the same way; None when it cannot be read. `index` may remember hashes; it is not written to."""
    from pipelines.engine.embedded.errors import EngineError
    from pipelines.engine.embedded.store.hashes import Hashes
    from pipelines.engine.embedded.store.hostdir import Filters, slot_of, walk
    from pipelines.engine.embedded.store.hostdir import files as read

    filters = Filters(listing.include, listing.exclude, listing.gitignore)
    try:
        if not Path(listing.base).is_dir():
            return None
        found = walk(listing.base, filters)
        hashes = Hashes(index, slot_of(listing.base, filters)).of([one for one in found if stat.S_ISREG(one.info.st_mode)])
        return read(found, hashes)
    except (OSError, EngineError):
        return None


def narrowed(files: Files, narrows: Iterable[Narrow]) -> Files:
    """The part of a tree that counts. Where a path leads through a link, everything counts: it may lead anywhere."""
    for narrow in narrows:
        tops = sorted(_tops(files, narrow))
        if any(_through_link(files, top) for top in tops):
            return files
        files = {rel: entry for top in tops for rel, entry in _below(files, top, narrow)}
    return files


def _tops(files: Files, narrow: Narrow) -> Iterator[str]:
    """The paths a narrowing names, relative, "" for the whole tree; one that is not there is named all the same."""
    path = posixpath.normpath("/" + posixpath.join(narrow.path, narrow.below)).lstrip("/")
    if not narrow.wild or WILD.isdisjoint(path):
        yield path
        return
    parts = [name_pattern(part) if not WILD.isdisjoint(part) else part.__eq__ for part in path.split("/")]
    for rel in files:
        names = rel.split("/")
        if rel == path or (len(names) == len(parts) and all(fits(name) for fits, name in zip(parts, names, strict=True))):
            yield rel


def _through_link(files: Files, top: str) -> bool:
    return any(rel in files and stat.S_ISLNK(int(files[rel][0], 8)) for rel in _ways(top))


def _below(files: Files, top: str, narrow: Narrow) -> Iterator[tuple[str, tuple[str, str]]]:
    """The path itself and all below it that passes, with the folders on the way. Paths keep their names: another name is something else."""
    if top in files:
        yield top, files[top]
    prefix = f"{top}/" if top else ""
    filters = Filter(narrow.include, narrow.exclude)
    states = {"": START}
    for rel in sorted(files):
        inner = rel.removeprefix(prefix)
        if rel != top and rel.startswith(prefix) and (filters.everything or _passes(filters, inner, states)):
            yield from ((way, files[way]) for way in _ways(rel) if way in files and len(way) > len(top))


def _ways(rel: str) -> Iterator[str]:
    """The folders a path lies in, outermost first, and the path itself."""
    names = rel.split("/")
    return ("/".join(names[:count]) for count in range(1, len(names) + 1))


def _passes(filters: Filter, rel: str, states: dict[str, Any]) -> bool:
    """Whether a path passes; every folder on its way is judged before it."""
    included = True
    for way in _ways(rel):
        included, _, states[way] = filters.visit(way, states[posixpath.dirname(way)])
    return bool(included)
