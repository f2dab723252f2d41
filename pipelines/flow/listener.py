"""Listens to the engine of a run: its log, and every line to the step whose work it is about."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from pipelines.engine.engine_lines import parse_line, requester_id
from pipelines.flow.log_writer import LogWriter
from pipelines.steps.common.replay import Stamp
from pipelines.steps.common.wrapper import STAMP_VARIABLE, wrapped

if TYPE_CHECKING:
    from pipelines.engine.engine_lines import EngineLine
    from pipelines.flow.context import RunContext

_WRAPPED = " ".join(f"exec: {' '.join(wrapped(()))}".split())[:40]
"""How the engine names a command of a built-in step: by a script nobody wants to read. The step itself says what it runs."""


class EngineListener:
    """Takes the engine's lines, masks them, and passes them on. The log file gets all of them, in the order they come.

    Lines for the log file and for nobody's step are gathered until the event loop comes round again: a Dagger engine repeats all that
    commands print, and to mask many lines at once takes a small part of the time that one after another takes.
    """

    def __init__(self, context: RunContext, log: str) -> None:
        self._log = context.log(log)
        self._rest = LogWriter(redactor=context.redactor, output=context.sink.engine_output)
        self._steps: dict[str, LogWriter] = {}
        self._all_lines: list[str] = []
        self._rest_lines: list[str] = []

    def add(self, step_id: str, log: LogWriter) -> None:
        """Lines about the step's work go to its log from now on."""
        self._steps[requester_id(step_id)] = log

    def line(self, raw: str) -> None:
        """A line of the engine."""
        line = parse_line(raw)
        step = self._steps.get(line.requester)
        if line.whole:
            self._gather(f"{line.text}\n", for_rest=step is None)
        if step is not None and not _ours(line):
            step.live(line.text if line.printed is None else line.printed, whole=line.whole)

    def close(self) -> None:
        """Give out what is held back, end the log."""
        self._write_gathered()
        self._log.close()
        self._rest.close()

    def _gather(self, text: str, *, for_rest: bool) -> None:
        is_first = not self._all_lines
        self._all_lines.append(text)
        if for_rest:
            self._rest_lines.append(text)
        if not is_first:
            return
        try:
            asyncio.get_running_loop().call_soon(self._write_gathered)
        except RuntimeError:  # no event loop: nothing would come round
            self._write_gathered()

    def _write_gathered(self) -> None:
        log, self._all_lines = "".join(self._all_lines), []
        rest, self._rest_lines = "".join(self._rest_lines), []
        if log:
            self._log.write(log)
        if rest:
            self._rest.write(rest)


def _ours(line: EngineLine) -> bool:
    """Whether a line is about what built-in steps do for themselves: their script, and asking who ran a command."""
    if line.printed is None:
        return line.text.startswith(_WRAPPED) or f'"${STAMP_VARIABLE}"' in line.text
    return Stamp.read(line.printed) is not None
