"""Finds any of many byte strings, and tells what the end of a text may still become."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

_ANCHOR = 6
"""Bytes of a text the automaton looks for; the rest is compared where they are found, so that it stays small for keys and bundles."""


class Span(NamedTuple):
    """A stretch from `start` up to, not including, `end`."""

    start: int
    end: int


class Patterns:
    """A fixed set of byte strings, none of them empty."""

    def __init__(self, texts: Iterable[bytes]) -> None:
        from ahocorasick_rs import BytesAhoCorasick

        ordered = sorted(set(texts))
        anchors: dict[bytes, list[bytes]] = {}
        for text in ordered:
            anchors.setdefault(text[:_ANCHOR], []).append(text)
        self._texts = list(anchors.values())
        self._automaton = BytesAhoCorasick(list(anchors))
        self.longest = max(map(len, ordered), default=0)
        self._beginnings = {text[:length] for text in ordered for length in range(1, min(len(text), _ANCHOR))}

    def find(self, data: bytes) -> Iterator[Span]:
        """Every occurrence of every string, in no order."""
        for number, start, _ in self._matches(data):
            for text in self._texts[number]:
                if data.startswith(text, start):
                    yield Span(start, start + len(text))

    def unfinished(self, data: bytes) -> int:
        """Where the earliest tail begins that is the beginning of a string; the length of the data when none is."""
        tail = data[max(0, len(data) - self.longest + 1) :]
        begun = (start for number, start, _ in self._matches(tail) if any(_begins(text, tail, start) for text in self._texts[number]))
        short = (len(tail) - size for size in range(1, min(len(tail) + 1, _ANCHOR)) if tail[-size:] in self._beginnings)
        return len(data) - len(tail) + min([*begun, *short], default=len(tail))

    def _matches(self, data: bytes) -> Iterable[tuple[int, int, int]]:
        """Every place of an anchor: its number, its start and its end."""
        return self._automaton.find_matches_as_indexes(data, overlapping=True)


def _begins(text: bytes, data: bytes, start: int) -> bool:
    """Whether the data ends, from `start` on, in a beginning of the text that is not all of it."""
    return len(data) - start < len(text) and text.startswith(data[start:])
