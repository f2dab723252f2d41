"""Regular expressions that take linear time: no pattern and no text from outside can stop the session.

The work is done by RE2 (github.com/google/re2), which never backtracks and lets other threads run while it matches. Its binding is
installed on Linux, the only system the engine runs on. Elsewhere Python's `re` takes its place: there only the recording engine reads
patterns, those of the tests that it records.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple, Protocol

from pipelines.engine.embedded.errors import InvalidInput

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

MEMORY = 32 << 20  # bytes for one compiled pattern, and for what RE2 remembers while it matches
PRIVATE = 0x10F800  # first of the 2,048 private-use characters that stand for lone surrogates, which UTF-8 cannot hold
SURROGATE = re.compile("[\ud800-\udfff]")


class BadPattern(InvalidInput):
    """Not a regular expression that can be used; the message says why."""


class MatchSpan(NamedTuple):
    """Where a match is: offsets in bytes."""

    start: int
    end: int


class _Match(Protocol):
    def span(self) -> tuple[int, int]: ...


class _Compiled(Protocol):
    """What `re2.compile` gives, as far as it is used here."""

    def fullmatch(self, text: bytes) -> _Match | None: ...

    def search(self, text: bytes, pos: int = 0) -> _Match | None: ...


def whole(pattern: str) -> Callable[[str], bool]:
    """A test whether the whole of a text matches. `.` is any character.

    Raises:
        BadPattern: it is malformed, or too large.
    """
    try:
        compiled = _compiled(pattern)
    except ImportError:
        test = _by_python(pattern).fullmatch
        return lambda text: test(text) is not None
    return lambda text: compiled.fullmatch(utf8(text)) is not None


def anywhere(pattern: str) -> Callable[[str], bool]:
    """A test whether any part of a text matches; otherwise as `whole`."""
    try:
        compiled = _compiled(pattern)
    except ImportError:
        test = _by_python(pattern).search
        return lambda text: test(text) is not None
    return lambda text: compiled.search(utf8(text)) is not None


class Finder:
    """Finds matches in the bytes of a file.

    Args:
        pattern: in RE2's syntax (github.com/google/re2/wiki/Syntax).
        dot_all: `.` also matches the end of a line.
        within_lines: nothing matches the end of a line, so no match goes over one.
        ignore_case: as the name says.

    Raises:
        BadPattern: the pattern is malformed, or too large.
    """

    def __init__(self, pattern: str, *, dot_all: bool = False, within_lines: bool = False, ignore_case: bool = False) -> None:
        self.pattern = pattern
        self._compiled = _compiled(pattern, dot_all=dot_all, within_lines=within_lines, ignore_case=ignore_case)

    def spans(self, data: bytes) -> Iterator[MatchSpan]:
        """All matches, from the left. An empty match directly after another one does not count, as in Rust's engine."""
        at, last = 0, -1
        while at <= len(data) and (match := self._compiled.search(data, at)) is not None:
            start, end = match.span()
            if start < end or not (start == last or _is_inside_character(data, start)):
                yield MatchSpan(start, end)
            at, last = end + (start == end), end


def escape(text: str) -> str:
    """A pattern that matches exactly this text."""
    return re.escape(text)


def utf8(text: str) -> bytes:
    """The text in UTF-8; each lone surrogate (a byte of a file name that is not UTF-8) as one private-use character."""
    try:
        return text.encode()
    except UnicodeEncodeError:
        return SURROGATE.sub(lambda found: chr(PRIVATE + ord(found[0]) - 0xD800), text).encode()


def _is_inside_character(data: bytes, at: int) -> bool:
    return at < len(data) and data[at] & 0xC0 == 0x80  # noqa: PLR2004 - the bit patterns of UTF-8


def _compiled(pattern: str, *, dot_all: bool = True, within_lines: bool = False, ignore_case: bool = False) -> _Compiled:
    import re2  # type: ignore[import-untyped]

    options = re2.Options()
    options.max_mem = MEMORY
    options.log_errors = False
    options.never_capture = True
    options.dot_nl = dot_all
    options.never_nl = within_lines
    options.case_sensitive = not ignore_case
    try:
        compiled: _Compiled = re2.compile(utf8(pattern), options)
    except re2.error as error:
        raise BadPattern(_reason(error)) from None
    return compiled


def _reason(error: Exception) -> str:
    reason = error.args[0] if error.args else "malformed"
    return reason.decode(errors="replace") if isinstance(reason, bytes) else str(reason)


def _by_python(pattern: str) -> re.Pattern[str]:
    try:
        return re.compile(pattern, re.DOTALL)
    except (re.error, RecursionError, OverflowError) as error:
        raise BadPattern(str(error)) from None
