"""Everything a step (or the engine) prints: masked, kept in a log file, its last lines at hand."""

from __future__ import annotations

import contextlib
from collections import deque
from typing import TYPE_CHECKING, TextIO

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from pipelines.flow.redact import Redactor

TAIL_LINES = 20
_LONGEST_LINE = 4096


class Transcript:
    """Text in, masked text out: to `output` and to a file, which is made with the first text (`path` is None before).

    A file that cannot be written (a full disk) does not end the step: `trouble` says so, once.
    """

    def __init__(
        self,
        *,
        redactor: Redactor,
        path: Path | None = None,
        output: Callable[[str], None] | None = None,
        trouble: Callable[[OSError], None] | None = None,
    ) -> None:
        self.path: Path | None = None
        self._wanted = path
        self._redactor = redactor
        self._stream = redactor.stream()
        self._output = output
        self._trouble = trouble
        self._lines: deque[str] = deque(maxlen=TAIL_LINES)
        self._line = ""
        self._file: TextIO | None = None

    def write(self, text: str) -> None:
        """Text that was printed."""
        self._give(self._stream.feed(text))

    def record(self, text: str) -> None:
        """Text for the log file only, such as a traceback."""
        self._give(self._stream.close())
        self._to_file(self._redactor.text(text))

    def close(self) -> tuple[str, ...]:
        """End the log file; the last lines, masked."""
        self._give(self._stream.close())
        self._close_file()
        lines = (*self._lines, self._line) if self._line else tuple(self._lines)
        return lines[-TAIL_LINES:]

    def _give(self, text: str) -> None:
        if not text:
            return
        self._to_file(text)
        *lines, rest = (self._line + text).split("\n")
        self._lines.extend(line.rstrip("\r")[:_LONGEST_LINE] for line in lines)
        self._line = rest[:_LONGEST_LINE]
        if self._output is not None:
            self._output(text)

    def _to_file(self, text: str) -> None:
        if self._wanted is None or not text:
            return
        try:
            if self._file is None:
                self._file = self._wanted.open("a", encoding="utf-8", errors="backslashreplace", buffering=1)
                self.path = self._wanted
            self._file.write(text)
        except OSError as error:
            self._wanted = None
            self._close_file()
            self._tell(error)

    def _close_file(self) -> None:
        file, self._file = self._file, None
        if file is not None:
            with contextlib.suppress(OSError):
                file.close()

    def _tell(self, error: OSError) -> None:
        if self._trouble is not None:
            self._trouble(error)
