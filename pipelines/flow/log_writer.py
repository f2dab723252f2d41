"""Everything a step (or the engine) prints: masked, kept in a log file, its last lines at hand."""

from __future__ import annotations

import contextlib
import os
from collections import deque
from functools import partial
from typing import TYPE_CHECKING, Protocol, TextIO

from pipelines.flow.live_lines import LiveLines
from pipelines.flow.ordered_work import OrderedWork
from pipelines.foundation.regular_files import open_regular
from pipelines.foundation.text import one_line

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from pipelines.foundation.redaction import Redactor

TAIL_LINES = 20
SMALL = 256 << 10
"""Characters that are masked at once, on the event loop: some 5 ms."""
_PIECE = 1 << 20
_LONGEST_LINE = 4096
_LONGEST_SHOWN = 200
_MARK = "\x1e"
"""In lines a step's command leaves for the step alone (`pipelines.steps.common.wrapper`)."""


class ProgressListener(Protocol):
    """Told what a running command prints."""

    def __call__(self, line: str, *, whole: bool) -> None:
        """A line, masked; not `whole`: what there is of one so far, which comes again."""


class LogWriter:
    """Text in, masked text out: to `output` and to a file, which is made with the first text (`path` is None before).

    A file that cannot be written (a full disk) does not end the step: `on_write_error` says so, once.

    What a command prints while it runs (`live`) goes to `progress`. The step hands the same over when its command has ended, so it is kept
    aside, and gets into the log only by `keep_live`: when no output will come any more.
    """

    def __init__(
        self,
        *,
        redactor: Redactor,
        path: Path | None = None,
        output: Callable[[str], None] | None = None,
        on_write_error: Callable[[OSError], None] | None = None,
        progress: ProgressListener | None = None,
    ) -> None:
        self.path: Path | None = None
        self._wanted = path
        self._redactor = redactor
        self._stream = redactor.stream()
        self._output = output
        self._on_write_error = on_write_error
        self._lines: deque[str] = deque(maxlen=TAIL_LINES)
        self._line = ""
        self._file: TextIO | None = None
        self._progress = progress
        self._live = redactor.stream()
        self._live_lines = LiveLines()
        self._so_far = self._part = self._said = ""
        self._closed = False
        self._order = OrderedWork()

    def write(self, text: str) -> None:
        """Text that was printed. More than 256 Ki characters are masked in a thread, in pieces; whatever is asked for next comes after.

        Nothing is written to a log that is closed: a step may still be at work after the run has given it up.
        """
        if self._closed:
            return
        if len(text) <= SMALL:
            self._order.small(lambda: self._give(self._stream.feed(text)))
            return
        for start in range(0, len(text), _PIECE):
            self._order.large(partial(self._masked_piece, text, start), self._give)

    def end_line(self) -> None:
        """What comes next begins a line, also where the step's last text did not end one."""
        self._order.small(self._end_line)

    def record(self, text: str) -> None:
        """Text for the log file only, such as a traceback."""
        self._order.small(lambda: self._record(text))

    def live(self, line: str, *, whole: bool = True) -> None:
        """A line that a running command printed, or what there is of one."""
        if not self._closed and _MARK not in line:
            self._order.small(lambda: self._live_line(line, whole=whole))

    def keep_live(self) -> None:
        """Write down what was printed and never handed over: the command hangs, or nobody is left to ask for its output."""
        self._order.small(self._keep_live)

    async def drain(self) -> None:
        """Wait until all text so far is masked and written."""
        await self._order.done()

    def _masked_piece(self, text: str, start: int) -> str:
        return self._stream.feed(text[start : start + _PIECE])  # cut when its turn comes: the text is not kept twice

    def _end_line(self) -> None:
        self._give(self._stream.close())
        if self._line:
            self._give("\n")

    def _record(self, text: str) -> None:
        self._give(self._stream.close())
        self._to_file(self._redactor.text(text))

    def _live_line(self, line: str, *, whole: bool) -> None:
        if not whole:
            self._so_far = line
            self._show(self._redactor.stream().feed(line)[:_LONGEST_LINE], whole=False)
            return
        self._so_far = ""
        self._take_live(self._live.feed(f"{line}\n"))

    def _keep_live(self) -> None:
        self._give(self._stream.close())
        if rest := f"{self._live.close()}{self._redactor.text(self._so_far)}":
            self._take_live(f"{rest}\n")
        self._so_far = ""
        text = "\n".join(self._live_lines.take_all()).strip("\n")
        self._give(f"{text}\n" if text else "")

    def last_line(self) -> str:
        """The last line that says something, masked: of what was printed, or of what a running command printed since."""
        return one_line(self._said)[:_LONGEST_SHOWN]

    def close(self) -> tuple[str, ...]:
        """End the log file; the last lines, masked. Large texts must be written by now (see `drain`)."""
        self._closed = True
        self._give(self._stream.close())
        self._close_file()
        lines = (*self._lines, self._line) if self._line else tuple(self._lines)
        return lines[-TAIL_LINES:]

    def _give(self, text: str) -> None:
        if not text:
            return
        self._to_file(text)
        *lines, rest = (self._line + text).split("\n")
        for line in (whole.rstrip("\r")[:_LONGEST_LINE] for whole in lines):
            self._lines.append(line)
            self._said = line if line.strip() else self._said
            self._live_lines.discard(line)
        self._line = rest[:_LONGEST_LINE]
        self._said = self._line if self._line.strip() else self._said
        if self._output is not None:
            self._output(text)

    def _take_live(self, text: str) -> None:
        *lines, self._part = (self._part + text).split("\n")
        for line in (whole[:_LONGEST_LINE] for whole in lines):  # masked before it is cut
            self._live_lines.add(line)
            self._show(line, whole=True)

    def _show(self, line: str, *, whole: bool) -> None:
        self._said = line if line.strip() else self._said
        if self._progress is not None:
            self._progress(line, whole=whole)

    def _to_file(self, text: str) -> None:
        if self._wanted is None or not text:
            return
        try:
            if self._file is None:
                self._file = _appending(self._wanted)
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
        if self._on_write_error is not None:
            self._on_write_error(error)


def _appending(path: Path) -> TextIO:
    descriptor = open_regular(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    return os.fdopen(descriptor, "a", encoding="utf-8", errors="backslashreplace", buffering=1)
