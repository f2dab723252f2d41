"""Finds any of many byte strings, and tells what the end of a text may still become."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

_ANCHOR = 6
"""Bytes of a form the automaton looks for; the rest is compared where they are found, so that it stays small for keys and bundles."""
_GRAM = 3
_INDEXED = 4096
"""Bytes of a form whose beginnings are indexed by their last three bytes; longer forms, which are few, are looked for one by one."""


class Span(NamedTuple):
    """A stretch from `start` up to, not including, `end`."""

    start: int
    end: int


class Patterns:
    """A fixed set of byte strings, none of them empty."""

    def __init__(self, forms: Iterable[bytes]) -> None:
        from ahocorasick_rs import BytesAhoCorasick

        ordered = sorted(set(forms))
        anchors: dict[bytes, list[bytes]] = {}
        for form in ordered:
            anchors.setdefault(form[:_ANCHOR], []).append(form)
        self._forms = list(anchors.values())
        self._automaton = BytesAhoCorasick(list(anchors))
        self.longest = max(map(len, ordered), default=0)
        self._long = [form for form in ordered if len(form) > _INDEXED]
        self._ends: dict[bytes, list[tuple[bytes, int]]] = {}
        for form in ordered:
            for length in range(1, min(len(form), _INDEXED)):
                self._ends.setdefault(form[max(0, length - _GRAM) : length], []).append((form, length))

    def find(self, data: bytes) -> Iterator[Span]:
        """Every occurrence of every string, in no order."""
        for number, start, _ in self._automaton.find_matches_as_indexes(data, overlapping=True):
            for form in self._forms[number]:
                if data.startswith(form, start):
                    yield Span(start, start + len(form))

    def unfinished(self, data: bytes) -> int:
        """Where the earliest tail begins that is the beginning of a string; the length of the data when none is."""
        earliest = len(data)
        for size in range(1, _GRAM + 1):
            for form, length in self._ends.get(data[-size:], ()) if len(data) >= size else ():
                if len(data) - length < earliest and data.endswith(form[:length]):
                    earliest = len(data) - length
        return min([earliest, *(_begins(form, data) for form in self._long)])


def _begins(form: bytes, data: bytes) -> int:
    """Where the earliest tail begins that is a beginning of the form longer than what is indexed."""
    start = data.find(form[:_INDEXED], max(0, len(data) - len(form) + 1))
    while start >= 0:
        if form.startswith(data[start:]):
            return start
        start = data.find(form[:_INDEXED], start + 1)
    return len(data)
