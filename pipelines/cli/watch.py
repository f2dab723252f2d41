"""A run while it lasts: shown by a sink, stopped by signals."""

from __future__ import annotations

import contextlib
import io
import signal
import sys
import threading
from typing import TYPE_CHECKING, Protocol, TextIO, cast

import anyio

from pipelines.cli.event_loop import run_on_own_loop
from pipelines.cli.progress.plain import PlainProgress, SilentProgress
from pipelines.cli.signals import stopping
from pipelines.cli.terminal import under_dagger_run
from pipelines.engine.lifetime import GRACE_S
from pipelines.engine.session import INSIST_S, kill_sessions
from pipelines.flow.progress import Sink
from pipelines.flow.run import run_project
from pipelines.flow.stop import Stop
from pipelines.providers import HarmlessStream, detect

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator

    from pipelines.cli.options import Settings
    from pipelines.cli.terminal import Progress, Terminal
    from pipelines.flow.request import RunRequest
    from pipelines.model import Project, Run

TICK_S = 0.1
_STOP_S = GRACE_S + INSIST_S
_REPORTS_S = 5.0
"""What a stopped run has on top of that to write its reports, before it is killed."""
_RECORD_S = 1.0
"""What a killed run has to write the record of its end."""
_SHOW_CURSOR = "\x1b[?25h"


class Shown(Sink, Protocol):
    """A sink that also wants to be reminded of the time."""

    def tick(self) -> None:
        """Called a few times a second."""


def watch(project: Project, request: RunRequest, here: Settings, progress: Progress) -> Run:
    """Run the steps and show them; returns the run, also after a signal.

    Raises:
        LockgateError: nothing could be run (see `run_project`).
    """
    terminal = here.stderr(progress)
    # A step's own print must not end up between the data on standard output.
    with _showing(terminal, here) as sink, contextlib.redirect_stdout(cast("TextIO", _ToStandardError(_harmless(here)))):
        return run_on_own_loop(lambda: _watched(project, request, sink, terminal))


class _ToStandardError(io.TextIOBase):
    """Standard error as it is at the moment of writing: a live board puts itself in its place. On a full disk the text is lost."""

    def writable(self) -> bool:
        return True

    def __init__(self, harmless: Callable[[str], str]) -> None:
        self._harmless = harmless

    def write(self, text: str) -> int:
        with contextlib.suppress(OSError):
            sys.stderr.write(self._harmless(text))
        return len(text)

    def flush(self) -> None:
        with contextlib.suppress(OSError):
            sys.stderr.flush()


def _harmless(here: Settings) -> Callable[[str], str]:
    """Changes what a step prints so that no CI takes it for a command."""
    return HarmlessStream().feed if detect(here.environ).in_ci else lambda text: text


async def _watched(project: Project, request: RunRequest, sink: Shown, terminal: Terminal) -> Run:
    """The run, with a clock that ticks for the board and signals that stop it."""
    stop = Stop()

    def first(signum: int) -> None:
        sink.note(f"{signal.Signals(signum).name}: stopping, within {_STOP_S:g} s; a second signal kills at once")
        stop.request(signum)

    def second(signum: int) -> None:
        kill_sessions()
        # On a thread of its own: this one may hold whatever the record needs. It ends the process soon in any case.
        recording = threading.Thread(target=stop.kill, args=(signum,), daemon=True)
        recording.start()
        recording.join(_RECORD_S)
        if terminal.live:
            terminal.stream.write(_SHOW_CURSOR)
            terminal.stream.flush()

    def overdue() -> None:
        sys.stderr.write("\nkilled: a step ignored the stop\n")

    with stopping(first, second, overdue=overdue, patience_s=_STOP_S + _REPORTS_S):
        async with _ticking(sink):
            return await run_project(project, request, sink, stop)


@contextlib.asynccontextmanager
async def _ticking(sink: Shown) -> AsyncIterator[None]:
    """Remind the sink of the time for as long as the context lasts."""

    async def tick() -> None:
        while True:
            sink.tick()
            await anyio.sleep(TICK_S)

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(tick)
        yield
        tasks.cancel_scope.cancel()


@contextlib.contextmanager
def _showing(terminal: Terminal, here: Settings) -> Iterator[Shown]:
    """The sink for this terminal; a board is put away whatever happens."""
    if terminal.live and here.verbosity == 0:
        from pipelines.cli.progress.board import Board

        with contextlib.closing(Board(terminal)) as board:
            yield board
        return
    if here.verbosity < 0:
        yield SilentProgress(terminal)
        return
    beside = under_dagger_run(here.environ)
    if beside:
        terminal.line("`dagger run` also shows its own progress; `dagger -s run` does not")
    yield PlainProgress(terminal, detect(here.environ), verbosity=here.verbosity, short=beside)
