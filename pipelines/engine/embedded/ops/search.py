"""Search in files: lines that match a pattern, as ripgrep tells them."""

from __future__ import annotations

import posixpath
import re
import stat
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pipelines.engine.embedded.errors import InvalidInput
from pipelines.engine.embedded.store.patterns import Filter
from pipelines.engine.embedded.store.selection import select

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from pipelines.engine.embedded.store.paths import Root

FOREIGN = re.compile(r"\\[pPzhHRXK]|\[\[:|&&|~~|--\[|\(\?[<!=P>]*[=!]|\\[1-9]|\(\?P=")
"""What Rust's regular expressions have and Python's have not (or otherwise), or the other way round."""
ESCAPED = re.compile(r"\\\\")
LARGEST = 128 << 20  # bytes of a file that is searched


@dataclass(frozen=True, slots=True)
class Match:
    """A match within `Found.lines`; `start` and `end` count bytes."""

    text: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Found:
    """Lines with matches: where they begin (`line` from 1, `offset` in bytes), and what they say. Of a file only, when that was asked."""

    path: str
    line: int = 0
    offset: int = 0
    lines: str = ""
    matches: tuple[Match, ...] = ()


@dataclass(frozen=True, slots=True)
class Query:
    """What to search for, and where.

    Attributes:
        pattern: the compiled pattern.
        spanning: matches may go over several lines.
        globs: patterns of paths to search, those with `!` not to search; empty: all.
        skip_hidden: leave out names that begin with a dot.
        files_only: tell files, not lines.
        limit: results wanted; None: all.
    """

    pattern: re.Pattern[str]
    spanning: bool = False
    globs: tuple[str, ...] = ()
    skip_hidden: bool = False
    files_only: bool = False
    limit: int | None = None

    @classmethod
    def of(cls, args: Mapping[str, Any]) -> Query:
        """From the API's arguments.

        Raises:
            InvalidInput: no regular expression, or one that only ripgrep understands.
        """
        spanning = bool(args["multiline"])
        return cls(_compiled(args), spanning, tuple(args["globs"]), bool(args["skipHidden"]), bool(args["filesOnly"]), args["limit"])


def _compiled(args: Mapping[str, Any]) -> re.Pattern[str]:
    pattern = args["pattern"]
    flags = re.MULTILINE | (re.IGNORECASE if args["insensitive"] else 0) | (re.DOTALL if args["dotall"] and args["multiline"] else 0)
    if args["literal"]:
        return re.compile(re.escape(pattern), flags)
    foreign = FOREIGN.search(ESCAPED.sub("", pattern))
    if foreign:
        raise InvalidInput(f"search: {foreign[0]!r} in a pattern needs a Dagger engine: here only what Rust and Python share is read")
    try:
        return re.compile(pattern, flags)
    except re.error as error:
        raise InvalidInput(f"regex parse error: {pattern!r}: {error}") from None


def search(root: Root, base: str, paths: Sequence[str], query: Query) -> list[Found]:
    """What `query` finds in a directory, sorted by path; `paths` (relative) narrow it. Links are not followed, binary files left out."""
    found: list[Found] = []
    for path in sorted(_files(root, base, paths, query)):
        found += in_file(root, posixpath.join(base, path), path, query)
        if query.limit is not None and len(found) >= query.limit:
            return found[: query.limit]
    return found


def _files(root: Root, base: str, paths: Sequence[str], query: Query) -> set[str]:
    excluded = tuple(one[1:] for one in query.globs if one.startswith("!"))
    included = tuple(one for one in query.globs if not one.startswith("!"))
    wanted = {one for path in paths or ["."] for one in _below(root, base, posixpath.normpath(path))}
    return {
        path
        for path in wanted
        if (not included or _fits(path, included)) and not _fits(path, excluded) and not (query.skip_hidden and _hidden(path))
    }


def _below(root: Root, base: str, path: str) -> Iterator[str]:
    top = posixpath.join(base, path)
    if stat.S_ISREG(root.stat(top).st_mode):
        yield path
        return
    for one in select(str(root.locate(top)), Filter()):
        if stat.S_ISREG(one.info.st_mode):
            yield posixpath.normpath(posixpath.join(path, one.rel))


def _hidden(path: str) -> bool:
    return any(part.startswith(".") for part in path.split("/"))


def _fits(path: str, globs: Sequence[str]) -> bool:
    """As in .gitignore: a pattern without a slash fits names at any depth."""
    from pipelines.engine.embedded.store.patterns import START

    patterns = tuple(glob.lstrip("/") if "/" in glob.rstrip("/") else f"**/{glob}" for glob in globs)
    return bool(patterns) and Filter(patterns).visit(path, START).included


def in_file(root: Root, path: str, shown: str, query: Query) -> list[Found]:
    """What `query` finds in one file, told as `shown`."""
    if root.stat(path).st_size > LARGEST:
        return []
    data = root.read(path)
    if b"\0" in data:
        return []
    text = data.decode(errors="surrogateescape")
    if query.files_only:
        return [Found(shown)] if query.pattern.search(text) else []
    return [*_lines(text, shown, query)]


def _lines(text: str, shown: str, query: Query) -> Iterator[Found]:
    """Matches by the lines they are in; several on the same lines are one result."""
    for start, end, matches in _grouped(text, query):
        lines = text[start:end]
        subs = tuple(Match(_told(one[0]), _bytes(text[start : one.start()]), _bytes(text[start : one.end()])) for one in matches)
        yield Found(shown, text.count("\n", 0, start) + 1, _bytes(text[:start]), _told(lines), subs)


def _grouped(text: str, query: Query) -> Iterator[tuple[int, int, list[re.Match[str]]]]:
    start, end, matches = 0, -1, list[re.Match[str]]()
    for match in _matches(text, query):
        if matches and match.start() < end:
            matches.append(match)
            end = max(end, _line_end(text, match.end()))
            continue
        if matches:
            yield start, end, matches
        start, end, matches = text.rfind("\n", 0, match.start()) + 1, _line_end(text, match.end()), [match]
    if matches:
        yield start, end, matches


def _matches(text: str, query: Query) -> Iterator[re.Match[str]]:
    """All matches; none goes over the end of a line unless that is wanted."""
    if query.spanning:
        yield from (match for match in query.pattern.finditer(text) if match.start() < len(text))
        return
    start = 0
    while start < len(text):
        end = text.find("\n", start)
        end = len(text) if end < 0 else end
        yield from query.pattern.finditer(text, start, end)
        start = end + 1


def _line_end(text: str, at: int) -> int:
    """Where the line ends that holds the character before `at`, its newline included."""
    if at and text[at - 1 : at] == "\n":
        return at
    end = text.find("\n", at)
    return len(text) if end < 0 else end + 1


def _bytes(text: str) -> int:
    return len(text.encode(errors="surrogateescape"))


def _told(text: str) -> str:
    return text.encode(errors="surrogateescape").decode(errors="replace")
