"""Hex dumps, as xxd, hexdump and od print them: a secret stands there in rows of bytes, between offsets and a column of characters.

The rows of a dump are read back to the bytes they show; what is found there is masked from its first digit to the end of its last row.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

_BYTE = rb"[0-9a-fA-F]{2}"
_ROWS = (
    re.compile(rb"[0-9a-f]{6,8}:((?: (?:%s)+)+)(?:  [^\n]*)?" % _BYTE),  # xxd
    re.compile(rb"(?:[0-9a-f]{6,8} )?((?: {1,2}%s)+) *(?:[|>][^\n]*)?" % _BYTE),  # hexdump -C, od -t x1
    re.compile(rb"(?:[0-9a-f]{6,8})((?: %s)+) *(?:[|>][^\n]*)?" % _BYTE),  # od -A x -t x1
)
_LITTLE_ENDIAN = re.compile(rb"[0-9a-f]{7}((?: (?:%s){2})+) *" % _BYTE)  # hexdump
_PAIR = re.compile(_BYTE)
_PERHAPS = rb"(?:[0-9a-f]{6,8}[: ]| {0,2}[0-9a-fA-F]{2} {1,2}[0-9a-fA-F]{2}[ \r\n])"
_FIRST, _LATER = re.compile(_PERHAPS), re.compile(rb"\n" + _PERHAPS)  # one pattern for both is much slower
_BEGUN = re.compile(rb"[0-9a-f]{6,8}(?:: | {1,2})(?:[0-9a-fA-F]{2}[0-9a-fA-F ]*)?(?:[|> ][^\n]*)?|[0-9a-fA-F: ]*\r?")
_LONGEST = 1024


class HexDump:
    """The bytes of consecutive rows, and where they stand."""

    def __init__(self) -> None:
        self.data = b""
        self._places: list[int] = []
        self._starts: list[int] = []  # of rows: the first byte's number
        self._lines: list[tuple[int, int]] = []

    def add(self, line: tuple[int, int], pairs: list[tuple[int, int]]) -> None:
        """A row: where its line is, and the byte and place of each pair of digits."""
        self._starts.append(len(self.data))
        self._lines.append(line)
        self._places += [place for _, place in pairs]
        self.data += bytes(byte for byte, _ in pairs)

    def place(self, at: int) -> int:
        """Where the digits of a byte are."""
        return self._places[at]

    def end(self, at: int) -> int:
        """Where what ends before a byte ends in the text: with its row, as a column of characters may repeat it."""
        return self._lines[bisect_right(self._starts, at - 1) - 1][1]

    def row(self, at: int) -> int:
        """Where the row of a byte begins."""
        return self._lines[bisect_right(self._starts, at) - 1][0]


def dumps_of(data: bytes, *, whole: bool) -> Iterator[HexDump]:
    """The dumps in a text. `whole`: its last line is at its end, whatever follows."""
    if not _FIRST.match(data) and not _LATER.search(data):
        return
    dump: HexDump | None = None
    for start, end in _lines(data, whole=whole):
        pairs = _pairs(data, start, end)
        if pairs is None:
            if dump is not None:
                yield dump
            dump = None
            continue
        dump = dump or HexDump()
        dump.add((start, end), pairs)
    if dump is not None:
        yield dump


def begun_row(data: bytes) -> int | None:
    """Where the last line, which is not at its end yet, begins, if it may become a row; it may be empty."""
    start = data.rfind(b"\n") + 1
    return start if len(data) - start <= _LONGEST and _BEGUN.fullmatch(data, start) else None


def _lines(data: bytes, *, whole: bool) -> Iterator[tuple[int, int]]:
    """Where complete lines begin and end, without their ends."""
    start = 0
    while (end := data.find(b"\n", start)) >= 0:
        yield start, end - data.endswith(b"\r", start, end)
        start = end + 1
    if whole and start < len(data):
        yield start, len(data)


def _pairs(data: bytes, start: int, end: int) -> list[tuple[int, int]] | None:
    """Bytes and places of a row; None for any other line."""
    if end - start > _LONGEST:
        return None
    for pattern in _ROWS:
        if found := pattern.fullmatch(data, start, end):
            return [(int(pair[0], 16), pair.start()) for pair in _PAIR.finditer(data, *found.span(1))]
    if found := _LITTLE_ENDIAN.fullmatch(data, start, end):
        pairs = [(int(pair[0], 16), pair.start()) for pair in _PAIR.finditer(data, *found.span(1))]
        return [pair for at in range(0, len(pairs), 2) for pair in ((pairs[at + 1][0], pairs[at][1]), (pairs[at][0], pairs[at][1]))]
    return None
