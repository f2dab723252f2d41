"""Output in pieces to whole lines, the last of them kept."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

from pipelines.foundation.text import plain

if TYPE_CHECKING:
    from collections.abc import Iterator

_LONGEST = 64 * 1024
_MARK = "\x1e"
"""Begins the marks steps leave in a command's output for themselves (`pipelines.steps.common.wrapper`); they are not for people."""


class LastLines:
    """The last lines of one step's output, without the control sequences of a terminal. `dropped` counts those no longer kept."""

    def __init__(self, keep: int) -> None:
        self._kept: deque[str] = deque(maxlen=keep)
        self._part = ""
        self._so_far = ""
        self.dropped = 0

    def feed(self, text: str) -> list[str]:
        """Take text; the lines it completes."""
        self._so_far = ""
        *whole, self._part = (self._part + text).split("\n")
        if len(self._part) > _LONGEST:
            whole, self._part = [*whole, self._part], ""
        lines = [_seen(line) for line in whole if _MARK not in line]
        for line in lines:
            self.dropped += len(self._kept) == self._kept.maxlen
            self._kept.append(line)
        return lines

    def so_far(self, text: str) -> None:
        """Show what there is of a line, until the next text comes."""
        self._so_far = text if _MARK not in text else ""

    def __iter__(self) -> Iterator[str]:
        yield from self._kept
        for unfinished in (self._part, self._so_far):
            if unfinished:
                yield _seen(unfinished)

    def last(self, count: int) -> list[str]:
        """Up to `count` last lines with something on them, the unfinished one included."""
        found: list[str] = []
        for line in reversed(list(self)):
            if len(found) == count:
                break
            if line.strip():
                found.append(line)
        return found[::-1]


def _seen(line: str) -> str:
    """What a terminal would show of a line in the end. Escapes may span writes, so a line is cleaned as a whole."""
    states = [state for state in plain(line).split("\n") if state.strip()]
    return states[-1] if states else ""
