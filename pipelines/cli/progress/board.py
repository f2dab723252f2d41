"""The live board: every step with its state and time, and under the running ones the last lines they printed."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from rich.console import Console, Group
from rich.live import Live
from rich.text import Text

from pipelines.cli.progress.lines import LastLines
from pipelines.cli.progress.rows import Phase, Row, arrange
from pipelines.cli.progress.silence import Silence
from pipelines.flow.progress import NullSink
from pipelines.foundation.durations import rounded_duration
from pipelines.foundation.text import one_line
from pipelines.report.text import has_worked, outcome, remark

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from pipelines.cli.terminal import Terminal
    from pipelines.flow.plan import Plan
    from pipelines.model import EngineInfo, Result, Run

MOST_TAIL = 6
_SPIN = ("⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏", "|/-\\")
_SPINS_PER_S = 8
_MARKS = {"passed": "✔", "failed": "✘", "error": "✘", "blocked": "⊘", "skipped": "-", "cancelled": "⊘", "waiting": "·"}
_ASCII = {"passed": "+", "failed": "x", "error": "x", "blocked": "!", "skipped": "-", "cancelled": "!", "waiting": "."}
_STYLES = {"passed": "green", "failed": "bold red", "error": "bold red", "blocked": "yellow", "cancelled": "yellow", "running": "cyan"}


@dataclass(slots=True)
class _Head:
    project: str = ""
    engine: str = ""
    began: float = 0.0
    ended: float | None = None


class Board(NullSink):
    """Draws on a terminal until it is closed; the last picture stays, without the tails.

    Nothing is drawn between calls of `tick`: a busy event loop shows an old picture, never a torn one.
    """

    def __init__(self, terminal: Terminal, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._console = Console(file=terminal.stream, no_color=not terminal.color, force_terminal=True, highlight=False)
        self._marks = _MARKS if terminal.unicode else _ASCII
        self._spin = _SPIN[0] if terminal.unicode else _SPIN[1]
        self._rule = "│" if terminal.unicode else "|"
        self._clock = clock
        self._head = _Head(began=clock())
        self._rows: dict[str, Row] = {}
        self._tails: dict[str, LastLines] = {}
        self._silences: dict[str, Silence] = {}
        self._engine = LastLines(MOST_TAIL * 4)
        self._live = Live(
            console=self._console,
            auto_refresh=False,
            get_renderable=self.picture,
            redirect_stdout=False,
            redirect_stderr=True,
            vertical_overflow="crop",
        )

    def run_started(self, run_id: str, plan: Plan) -> None:
        from pipelines.flow.plan import NOT_SELECTED

        _ = run_id
        self._head = _Head(project=plan.project, began=self._clock())
        for step in plan.steps:
            if step.skip != NOT_SELECTED:
                self._rows[step.id] = Row(id=step.id, needs=step.needs)
        self._live.start(refresh=True)

    def engine_ready(self, engine: EngineInfo) -> None:
        self._head.engine = f"{engine.kind} engine ({engine.reason})"

    def engine_output(self, text: str) -> None:
        self._engine.feed(text)

    def step_started(self, step_id: str) -> None:
        if row := self._rows.get(step_id):
            row.phase, row.began = Phase.RUNNING, self._clock()
            self._tails[step_id] = LastLines(MOST_TAIL * 4)
            self._silences[step_id] = Silence(self._clock)

    def step_output(self, step_id: str, text: str) -> None:
        if step_id in self._tails:
            self._tails[step_id].feed(text)
            self._silences[step_id].add(text)

    def step_progress(self, step_id: str, line: str, *, whole: bool) -> None:
        if lines := self._tails.get(step_id):
            if whole:
                lines.feed(f"{line}\n")
                self._silences[step_id].add(f"{line}\n")
            else:
                lines.so_far(line)
                self._silences[step_id].so_far(line)

    def step_retry(self, step_id: str, reason: str, delay_s: float) -> None:
        if row := self._rows.get(step_id):
            row.note = f"tries again in {rounded_duration(delay_s)}: {one_line(reason)}"

    def step_finished(self, result: Result) -> None:
        self._tails.pop(result.id, None)
        self._silences.pop(result.id, None)
        if row := self._rows.get(result.id):
            row.phase, row.result, row.note = Phase.ENDED, result, ""

    def note(self, text: str) -> None:
        self._console.print(Text(text, style="dim"))

    def run_finished(self, run: Run) -> None:
        _ = run
        self.close()

    def tick(self) -> None:
        """Draw the picture of now."""
        if self._live.is_started:
            self._live.refresh()

    def close(self) -> None:
        """Draw the last picture and leave the terminal as it was."""
        if self._live.is_started:
            self._head.ended = self._clock()
            self._live.stop()

    def picture(self) -> Group:
        """The board as it is now, never higher than the terminal."""
        width, height = self._console.width, self._console.height
        frame = arrange(tuple(self._rows.values()), height - 2, most_tail=0 if self._over else MOST_TAIL)
        lines = [self._title()]
        for row in frame.rows:
            lines.append(self._row(row))
            lines += self._tail(row, frame.tail) if row.phase is Phase.RUNNING else ()
        if frame.hidden:
            lines.append(Text(f"   … {frame.hidden}", style="dim"))
        lines += self._engine_tail(height - 1 - len(lines))
        for line in lines:
            line.truncate(width, overflow="ellipsis")
            line.no_wrap = True
        return Group(*lines)

    def _engine_tail(self, room: int) -> list[Text]:
        """What the engine prints of no step, below the steps: a Dagger engine does not say whose a line is."""
        if self._over or not any(row.phase is Phase.RUNNING for row in self._rows.values()):
            return []
        lines = [line.expandtabs(4) for line in self._engine.last(min(room, MOST_TAIL))] if room > 0 else []
        return [Text(f" {self._rule} {line}", style="dim") for line in lines]

    @property
    def _over(self) -> bool:
        return self._head.ended is not None

    def _title(self) -> Text:
        rows = self._rows.values()
        ended = sum(row.phase is Phase.ENDED for row in rows)
        now = self._clock() if self._head.ended is None else self._head.ended
        took = rounded_duration(now - self._head.began)
        return Text.assemble((f" {self._head.project}", "bold"), (f"  {ended}/{len(rows)} steps  {took}  {self._head.engine}", "dim"))

    def _row(self, row: Row) -> Text:
        width = max(len(other.id) for other in self._rows.values())
        mark, style = self._mark(row)
        return Text.assemble(" ", (mark, style), f" {row.id:<{width}} ", (f"{self._time(row):>7}", "dim"), "  ", *self._detail(row))

    def _mark(self, row: Row) -> tuple[str, str]:
        if row.phase is Phase.RUNNING:
            return self._spin[int(self._clock() * _SPINS_PER_S) % len(self._spin)], _STYLES["running"]
        state = row.result.status.value if row.result is not None else "waiting"
        return self._marks[state], _STYLES.get(state, "dim")

    def _time(self, row: Row) -> str:
        if row.result is not None:
            return rounded_duration(row.result.duration_s) if has_worked(row.result) else ""
        return rounded_duration(self._clock() - row.began) if row.phase is Phase.RUNNING else ""

    def _detail(self, row: Row) -> Iterator[tuple[str, str]]:
        if row.result is not None:
            state = row.result.status.value
            yield outcome(row.result), _STYLES.get(state, "dim")
            if said := remark(row.result):
                yield f"  {said}", "" if state in {"failed", "error"} else "dim"
        elif row.phase is Phase.RUNNING:
            yield row.note or (self._silences[row.id].remark() if row.id in self._silences else ""), "yellow"
        else:
            waiting = [need for need in row.needs if need in self._rows and self._rows[need].phase is not Phase.ENDED]
            yield f"waits for {', '.join(waiting)}" if waiting else "waits for its turn", "dim"

    def _tail(self, row: Row, count: int) -> Iterator[Text]:
        lines = self._tails[row.id].last(count) if row.id in self._tails else []
        for line in lines:
            yield Text(f"   {self._rule} {line.expandtabs(4)}", style="dim")
