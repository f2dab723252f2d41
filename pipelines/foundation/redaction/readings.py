"""Other ways to read a text, in which a secret may appear that the text itself does not show in one piece.

A reading is the text without some of its pieces, and knows where each byte that is left came from. There are three: the text as it is;
without the control sequences of a terminal (a carriage return too), as people see it; and with the rows of base64 or hex that a program
wrapped put together.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

ROW = 32
"""Characters of base64 or hex in a row from which on the end of a line is taken for a wrapped row's."""
CONTEXT = ROW + 4
"""Bytes before a place that decide what is left out there."""
_LONGEST_ESCAPE = 4096 + 4096 + 8
_CONTROLS = bytes({*range(32), 0x7F} - {*b"\t\n"})
_CONTROL_SEQUENCE = re.compile(
    rb"\x1b(?:\[[0-?]{0,4096}[ -/]{0,4096}[@-~]|\][^\x07\x1b\n]{0,4096}(?:\x07|\x1b\\)?"
    rb"|[PX^_][^\x1b\n]{0,4096}(?:\x1b\\)?|[ -/]{0,4096}[0-~])?"
    rb"|[\x00-\x08\x0b-\x1a\x1c-\x1f\x7f]+|\xc2[\x80-\x9f]"
)
_OPEN = re.compile(rb"\x1b(?:\[[0-?]{0,4096}[ -/]{0,4096}|\][^\x07\x1b\n]{0,4096}\x1b?|[PX^_][^\x1b\n]{0,4096}\x1b?|[ -/]{0,4096})\Z")
_IN_ROW = rb"[A-Za-z0-9+/=_-]{%d}" % ROW
_BREAK = re.compile(rb"\n(?:(?<=%(row)s\n)|(?<=%(row)s\r\n))[ \t]{0,64}" % {b"row": _IN_ROW})
_ESCAPED_BREAK = re.compile(rb"\\n(?:(?<=%(row)s\\n)|(?<=%(row)s\\r\\n))" % {b"row": _IN_ROW})
_OPEN_BREAK = re.compile(rb"(?<=%s)(?:\r|\\r?|\\r\\)\Z" % _IN_ROW)


class Reading:
    """The text without the pieces of it that `pieces` gives, in order and apart; `data` is what is left. The places are worked out only
    when they are asked for, which is seldom.
    """

    def __init__(self, data: bytes, pieces: Callable[[], Iterable[tuple[int, int]]]) -> None:
        self.data = data
        self._pieces = pieces
        self._starts: list[int] = []
        self._shifts: list[int] = []

    def place(self, at: int) -> int:
        """Where in the text the byte is that is at this place of the reading; for its end, the end of the text."""
        if not self._starts:
            self._work_out()
        return at + self._shifts[bisect_right(self._starts, at) - 1]

    def end(self, at: int) -> int:
        """Where in the text a stretch of the reading ends: behind its last byte."""
        return self.place(at - 1) + 1

    def _work_out(self) -> None:
        self._starts, self._shifts = [0], [0]
        shift = 0
        for start, end in self._pieces():
            self._starts.append(start - shift)
            shift += end - start
            self._shifts.append(shift)


def readings_of(data: bytes) -> Iterator[Reading]:
    """The text as it is, and every other way to read it that differs."""
    yield Reading(data, list)
    if _has_controls(data):
        yield Reading(_CONTROL_SEQUENCE.sub(b"", data), lambda: _spans(_CONTROL_SEQUENCE, data))
    if pieces := _breaks(data):
        yield Reading(_without(data, pieces), lambda: pieces)


def unfinished_readings_of(data: bytes) -> Iterator[Reading]:
    """As `readings_of`, without the pieces at the end either that are left out once more of the text has come."""
    yield Reading(data, list)
    if _has_controls(data):
        whole = data[: open_control_sequence(data)]
        # What begins before that place ends before it, too.
        yield Reading(_CONTROL_SEQUENCE.sub(b"", whole), lambda: [*_spans(_CONTROL_SEQUENCE, whole), (len(whole), len(data))])
    pieces = _breaks(data)
    if found := _OPEN_BREAK.search(data, max(0, len(data) - ROW - 4)):
        pieces.append(found.span())
    if pieces:
        yield Reading(_without(data, pieces), lambda: pieces)


def open_control_sequence(data: bytes) -> int:
    """Where an escape sequence begins that is not at its end yet; the length of the data when there is none."""
    size = len(data)
    if data.endswith(b"\xc2"):
        return size - 1
    last = data.rfind(b"\x1b", max(0, size - _LONGEST_ESCAPE))
    if last < 0:
        return size
    before = data.rfind(b"\x1b", max(0, size - _LONGEST_ESCAPE), last) if last == size - 1 else -1  # which may begin the end of another one
    return next((at for at in (before, last) if at >= 0 and _OPEN.match(data, at)), size)


def without_control_sequences(text: str) -> str:
    """The text without the control sequences of a terminal."""
    data = text.encode("utf-8", "surrogatepass")
    return _CONTROL_SEQUENCE.sub(b"", data).decode("utf-8", "surrogatepass") if _has_controls(data) else text


def _has_controls(data: bytes) -> bool:
    """Whether there may be a control sequence of a terminal; this is quicker than a search. In UTF-8 the control characters above 127 begin
    with the byte 0xc2.
    """
    return len(data.translate(None, _CONTROLS)) != len(data) or b"\xc2" in data


def _spans(pattern: re.Pattern[bytes], data: bytes) -> Iterator[tuple[int, int]]:
    return (found.span() for found in pattern.finditer(data))


def _without(data: bytes, pieces: Iterable[tuple[int, int]]) -> bytes:
    kept: list[bytes] = []
    at = 0
    for start, end in pieces:
        kept.append(data[at:start])
        at = end
    return b"".join([*kept, data[at:]])


def _breaks(data: bytes) -> list[tuple[int, int]]:
    found = [*_ends_of_rows(_BREAK, data, b"\r")]
    if b"\\n" in data:
        found = sorted([*found, *_ends_of_rows(_ESCAPED_BREAK, data, b"\\r")])
    return found


def _ends_of_rows(pattern: re.Pattern[bytes], data: bytes, carriage: bytes) -> Iterator[tuple[int, int]]:
    for found in pattern.finditer(data):
        start = found.start()
        yield start - len(carriage) * data.endswith(carriage, 0, start), found.end()
