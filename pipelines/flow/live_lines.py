"""Lines a command printed while it ran, told from those that come again when its whole output is handed over."""

from __future__ import annotations

from collections import deque

MOST = 2000


class LiveLines:
    """The last lines (2,000 by default) that did not come again yet."""

    def __init__(self, most: int = MOST) -> None:
        self._most = most
        self._count = 0
        self._open: dict[int, str] = {}
        self._places: dict[str, deque[int]] = {}

    def add(self, line: str) -> None:
        """Note a line that was just printed; beyond the limit the oldest is forgotten."""
        if len(self._open) == self._most:
            self.discard(next(iter(self._open.values())))
        self._open[self._count] = line
        self._places.setdefault(line, deque()).append(self._count)
        self._count += 1

    def discard(self, line: str) -> bool:
        """Forget one line with this text; whether there was one. A line that was printed twice is to be discarded twice."""
        places = self._places.get(line)
        if places is None:
            return False
        del self._open[places.popleft()]
        if not places:
            del self._places[line]
        return True

    def take_all(self) -> list[str]:
        """The lines that did not come again, in order; they are forgotten."""
        lines = list(self._open.values())
        self._open.clear()
        self._places.clear()
        return lines
