"""How long a step has printed nothing, and what it printed last."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipelines.cli.progress.lines import LastLines
from pipelines.foundation.durations import rounded_duration

if TYPE_CHECKING:
    from collections.abc import Callable

SILENT_S = 60.0
"""Seconds without output after which a running step is mentioned."""
_LONGEST = 120


class Silence:
    """Follows the output of one step from its start."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._since = clock()
        self._lines = LastLines(4)

    def add(self, text: str) -> None:
        """Text that the step printed."""
        self._since = self._clock()
        self._lines.feed(text)

    def so_far(self, text: str) -> None:
        """The beginning of a line that is not finished yet."""
        self._since = self._clock()
        self._lines.so_far(text)

    def remark(self) -> str:
        """`no output for 2m05s (last: collecting wheel)`; empty before that time."""
        silent_s = self._clock() - self._since
        if silent_s < SILENT_S:
            return ""
        said = self._lines.last(1)
        last = f" (last: {said[0].strip()[:_LONGEST]})" if said else ""
        return f"no output for {rounded_duration(silent_s)}{last}"
