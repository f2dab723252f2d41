"""Search in files: lines that match a pattern, in the form in which ripgrep gives them."""

from __future__ import annotations

import posixpath
import stat
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pipelines.engine.embedded import linear
from pipelines.engine.embedded.errors import InvalidInput
from pipelines.engine.embedded.ops.files.rust_regex import to_re2
from pipelines.engine.embedded.store.selection.patterns import START, Filter
from pipelines.engine.embedded.store.selection.select import select

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from pipelines.engine.embedded.store.trees.root import Root

LARGEST = 128 << 20  # bytes of a file that is searched
SHOWN = 200  # characters of a refused pattern that a message repeats


@dataclass(frozen=True, slots=True)
class SearchMatch:
    """A match within `SearchResult.lines`; `start` and `end` count bytes."""

    text: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class SearchResult:
    """Lines with matches: where they begin (`line` from 1, `offset` in bytes), and what they say. Of a file only, when that was asked."""

    path: str
    line: int = 0
    offset: int = 0
    lines: str = ""
    matches: tuple[SearchMatch, ...] = ()


@dataclass(frozen=True, slots=True)
class SearchQuery:
    """What to search for, and where.

    Attributes:
        pattern: finds the matches.
        included: which paths to search.
        excluded: which of them not to search.
        skip_hidden: leave out names that begin with a dot.
        files_only: the answer names files, not lines.
        limit: results wanted; None: all.
    """

    pattern: linear.Finder
    included: Filter
    excluded: Filter | None
    skip_hidden: bool = False
    files_only: bool = False
    limit: int | None = None

    @classmethod
    def of(cls, args: Mapping[str, Any]) -> SearchQuery:
        """From the API's arguments.

        Raises:
            InvalidInput: no regular expression, or one that only ripgrep understands.
        """
        globs = args["globs"]
        excluded = _globs([one[1:] for one in globs if one.startswith("!")])
        included = _globs([one for one in globs if not one.startswith("!")])
        how = bool(args["skipHidden"]), bool(args["filesOnly"]), args["limit"]
        return cls(_finder(args), included or Filter(), excluded, *how)

    def wants(self, path: str) -> bool:
        """Whether a file is searched."""
        if self.skip_hidden and _hidden(path):
            return False
        return self.included.visit(path, START).included and not (self.excluded is not None and self.excluded.visit(path, START).included)


def _finder(args: Mapping[str, Any]) -> linear.Finder:
    pattern = linear.escape(args["pattern"]) if args["literal"] else to_re2(args["pattern"])
    several = bool(args["multiline"])
    how = {"dot_all": several and bool(args["dotall"]), "within_lines": not several, "ignore_case": bool(args["insensitive"])}
    try:
        return linear.Finder(f"(?m){pattern}", **how)
    except linear.BadPattern as error:
        raise InvalidInput(f"regex parse error: {args['pattern'][:SHOWN]!r}: {error.message}") from None


def _globs(globs: Sequence[str]) -> Filter | None:
    """As in .gitignore: a pattern without a slash fits names at any depth. None if there are none."""
    patterns = [glob.lstrip("/") if "/" in glob.rstrip("/") else f"**/{glob}" for glob in globs]
    return Filter(patterns) if patterns else None


def search(root: Root, base: str, paths: Sequence[str], query: SearchQuery) -> list[SearchResult]:
    """What `query` finds in a directory, sorted by path; `paths` (relative) narrow it. Links are not followed, binary files left out."""
    found: list[SearchResult] = []
    for path in sorted(_files(root, base, paths, query)):
        found += in_file(root, posixpath.join(base, path), path, query)
        if query.limit is not None and len(found) >= query.limit:
            return found[: query.limit]
    return found


def _files(root: Root, base: str, paths: Sequence[str], query: SearchQuery) -> set[str]:
    wanted = {one for path in paths or ["."] for one in _below(root, base, posixpath.normpath(path))}
    return {path for path in wanted if query.wants(path)}


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


def in_file(root: Root, path: str, shown: str, query: SearchQuery) -> list[SearchResult]:
    """What `query` finds in one file; results name it `shown`."""
    if root.stat(path).st_size > LARGEST:
        return []
    data = root.read(path)
    if b"\0" in data:
        return []
    if query.files_only:
        return [SearchResult(shown)] if next(_spans(data, query.pattern), None) else []
    return [*_lines(data, shown, query.pattern)]


def _lines(data: bytes, shown: str, pattern: linear.Finder) -> Iterator[SearchResult]:
    """Matches by the lines they are in; several on the same lines are one result. Lines that are not UTF-8 are left out, as in Dagger."""
    line, counted = 1, 0
    for start, end, spans in _grouped(data, pattern):
        line += data.count(b"\n", counted, start)
        counted = start
        try:
            lines = data[start:end].decode()
            matches = tuple(SearchMatch(data[span.start : span.end].decode(), span.start - start, span.end - start) for span in spans)
        except UnicodeDecodeError:
            continue
        yield SearchResult(shown, line, start, lines, matches)


def _grouped(data: bytes, pattern: linear.Finder) -> Iterator[tuple[int, int, list[linear.MatchSpan]]]:
    start, end, spans = 0, -1, list[linear.MatchSpan]()
    for span in _spans(data, pattern):
        if spans and (span.start < end or span.start == len(data)):
            spans.append(span)
            end = max(end, _line_end(data, span.end))
            continue
        if spans:
            yield start, end, spans
        start, end, spans = data.rfind(b"\n", 0, span.start) + 1, _line_end(data, span.end), [span]
    if spans:
        yield start, end, spans


def _spans(data: bytes, pattern: linear.Finder) -> Iterator[linear.MatchSpan]:
    """All matches in lines: a match after the end of the last line does not count."""
    ended = not data or data.endswith(b"\n")
    return (span for span in pattern.spans(data) if not (ended and span.start == len(data)))


def _line_end(data: bytes, at: int) -> int:
    """Where the line ends that holds the byte before `at`, its newline included."""
    if at and data[at - 1 : at] == b"\n":
        return at
    end = data.find(b"\n", at)
    return len(data) if end < 0 else end + 1
