"""Lines that were heard while a command ran, told from those that come again when its output is handed over."""

from __future__ import annotations

from collections import deque

MOST = 2000


class Heard:
    """Remembers the last lines that were not met again yet."""

    def __init__(self, most: int = MOST) -> None:
        self._most = most
        self._count = 0
        self._open: dict[int, str] = {}
        self._places: dict[str, deque[int]] = {}

    def add(self, line: str) -> None:
        """A line was heard."""
        if len(self._open) == self._most:
            self.again(next(iter(self._open.values())))
        self._open[self._count] = line
        self._places.setdefault(line, deque()).append(self._count)
        self._count += 1

    def again(self, line: str) -> bool:
        """Whether a line was heard and is now met again; each time it was heard counts once."""
        places = self._places.get(line)
        if places is None:
            return False
        del self._open[places.popleft()]
        if not places:
            del self._places[line]
        return True

    def rest(self) -> list[str]:
        """The lines that were not met again, in order; they are forgotten."""
        lines = list(self._open.values())
        self._open.clear()
        self._places.clear()
        return lines
