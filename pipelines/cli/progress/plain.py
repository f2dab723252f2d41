"""Plain lines: one when a step begins, one when it ends; its output as a block a CI's log viewer can fold."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from pipelines.cli.progress.lines import LastLines
from pipelines.cli.progress.silence import Silence
from pipelines.flow.live_lines import LiveLines
from pipelines.flow.progress import NullSink
from pipelines.foundation.clock import unix_time
from pipelines.foundation.durations import rounded_duration
from pipelines.foundation.text import one_line
from pipelines.model import Status
from pipelines.report.text import has_worked, outcome, plural, remark

if TYPE_CHECKING:
    from collections.abc import Callable

    from pipelines.cli.terminal import Terminal
    from pipelines.flow.plan import Plan
    from pipelines.model import EngineInfo, Result, Run
    from pipelines.providers import Provider

BLOCK_LINES = 2000
"""The most lines of a step shown in the log; the rest is in the step's own log file."""
QUIET_S = 60.0
"""A line at least this often, so that a long step is not taken for one that hangs."""
COLORS = {Status.PASSED: "green", Status.FAILED: "red", Status.ERROR: "red", Status.BLOCKED: "yellow", Status.CANCELLED: "yellow"}


class PlainProgress(NullSink):
    """Writes to a terminal that is not redrawn.

    Without a provider that folds, the output of steps is shown only when `verbosity` is above 0, line by line as it comes, and once.
    `short` does not say that steps began: another program shows which are running.
    """

    def __init__(
        self,
        terminal: Terminal,
        provider: Provider,
        *,
        verbosity: int = 0,
        short: bool = False,
        clock: Callable[[], float] = time.monotonic,
        wall: Callable[[], float] = unix_time,
    ) -> None:
        self._terminal = terminal
        self._provider = provider
        self._verbose = verbosity > 0
        self._short = short and not self._verbose
        self._clock = clock
        self._wall = wall
        self._folds = provider.fold("probe", "probe", started=0, ended=0) is not None
        self._began = clock()
        self._spoke = self._began
        self._width = 0
        self._hidden: set[str] = set()
        self._output: dict[str, LastLines] = {}
        self._live_lines: dict[str, LiveLines] = {}
        self._engine = LastLines(1)
        self._running: dict[str, tuple[float, float]] = {}
        self._silences: dict[str, Silence] = {}

    def run_started(self, run_id: str, plan: Plan) -> None:
        from pipelines.flow.plan import NOT_SELECTED

        self._began = self._clock()
        self._hidden = {step.id for step in plan.steps if step.skip == NOT_SELECTED}
        self._width = max((len(step.id) for step in plan.steps if step.id not in self._hidden), default=0)
        self._terminal.line(f"{plan.project}: {plural(len(plan.working), 'step')}, run {run_id}")

    def engine_ready(self, engine: EngineInfo) -> None:
        self._say(f"engine: {engine.kind} ({engine.reason})")

    def engine_output(self, text: str) -> None:
        if self._verbose and not self._folds:
            for line in self._engine.feed(text):
                self._terminal.line(f"{self._prefix('engine')} {line}")

    def step_started(self, step_id: str) -> None:
        self._running[step_id] = (self._clock(), self._wall())
        self._silences[step_id] = Silence(self._clock)
        self._output[step_id] = LastLines(BLOCK_LINES)
        if not self._short:
            self._step(step_id, "started")

    def step_output(self, step_id: str, text: str) -> None:
        if silence := self._silences.get(step_id):
            silence.add(text)
        lines = self._live_lines.setdefault(step_id, LiveLines())
        for line in self._output.setdefault(step_id, LastLines(BLOCK_LINES)).feed(text):
            if self._verbose and not self._folds and not lines.discard(line):
                self._terminal.line(f"{self._prefix(step_id)} {line}")

    def step_progress(self, step_id: str, line: str, *, whole: bool) -> None:
        if silence := self._silences.get(step_id):
            silence.add(f"{line}\n") if whole else silence.so_far(line)
        if whole and self._verbose and not self._folds:
            for seen in LastLines(1).feed(f"{line}\n"):
                self._live_lines.setdefault(step_id, LiveLines()).add(seen)
                self._terminal.line(f"{self._prefix(step_id)} {seen}")

    def step_retry(self, step_id: str, reason: str, delay_s: float) -> None:
        self._step(step_id, f"tries again in {rounded_duration(delay_s)}: {one_line(reason)}")

    def step_finished(self, result: Result) -> None:
        if result.id in self._hidden:
            return
        _, began = self._running.pop(result.id, (0.0, self._wall()))
        output = self._output.pop(result.id, LastLines(1))
        self._live_lines.pop(result.id, None)
        self._silences.pop(result.id, None)
        line = self._line(result.id, self._ending(result))
        block = list(output)
        fold = None
        if block and self._folds:
            fold = self._provider.fold(result.id, line, started=began, ended=self._wall(), collapsed=bool(result))
        if fold is None:
            self._put(line)
            return
        self._command(fold.before)
        if output.dropped:
            self._put(f"… {plural(output.dropped, 'earlier line')} in {result.log}")
        for text in block:
            self._terminal.line(text)
        self._command(fold.after)

    def note(self, text: str) -> None:
        self._say(text)

    def run_finished(self, run: Run) -> None:
        _ = run

    def tick(self) -> None:
        """Called a few times a second: breaks a long silence."""
        if self._running and self._clock() - self._spoke >= QUIET_S:
            now = self._clock()
            steps = ", ".join(f"{step} ({rounded_duration(now - began)})" for step, (began, _) in self._running.items())
            self._say(f"still at work: {steps}")
            for step, silence in self._silences.items():
                if said := silence.remark():
                    self._step(step, said)

    def _ending(self, result: Result) -> str:
        text = self._terminal.paint(outcome(result), fg=COLORS.get(result.status))
        took = f" in {rounded_duration(result.duration_s)}" if has_worked(result) else ""
        said = remark(result)
        return f"{text}{took}" + (f": {said}" if said else "")

    def _step(self, step_id: str, text: str) -> None:
        self._put(self._line(step_id, text))

    def _line(self, step_id: str, text: str) -> str:
        return f"{self._stamp()}  {step_id:<{self._width}}  {text}"

    def _prefix(self, name: str) -> str:
        return self._terminal.paint(f"{name:<{self._width}} |", dim=True)

    def _say(self, text: str) -> None:
        self._put(f"{self._stamp()}  {text}")

    def _stamp(self) -> str:
        return self._terminal.paint(f"{rounded_duration(self._clock() - self._began):>6}", dim=True)

    def _command(self, lines: str) -> None:
        """Lines of the provider; there may be none."""
        self._spoke = self._clock()
        if lines:
            self._terminal.command(lines)

    def _put(self, line: str) -> None:
        self._spoke = self._clock()
        self._terminal.line(line)


class SilentProgress(NullSink):
    """Says only what belongs to no step while a run lasts (--quiet)."""

    def __init__(self, terminal: Terminal) -> None:
        self._terminal = terminal

    def note(self, text: str) -> None:
        self._terminal.line(text)

    def tick(self) -> None:
        """Do nothing."""
