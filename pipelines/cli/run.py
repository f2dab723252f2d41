"""`run`: the steps of a project, in the order their needs give, as many at once as may be."""

from __future__ import annotations

import contextlib
import io
import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, TextIO, cast

import click

from pipelines.cli.complete import steps
from pipelines.cli.options import Settings, common, settings
from pipelines.cli.terminal import Progress
from pipelines.model.project import EngineKind

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pipelines.cli.terminal import Terminal
    from pipelines.flow.progress import Sink
    from pipelines.flow.run import RunRequest
    from pipelines.model import Project, Run

    class Shown(Sink, Protocol):
        """A sink that also wants to be reminded of the time."""

        def tick(self) -> None:
            """Called a few times a second."""


TICK_S = 0.1
_SHOW_CURSOR = "\x1b[?25h"


@click.command(
    "run",
    short_help="Run steps (the default command).",
    help="""Run the given steps, and what they need; without words, all of them.

WORD is a step's id (test.unit) or a kind (test). Every run leaves its results in .lockgate/reports and its logs in .lockgate/runs.

On a terminal a board shows what happens; elsewhere, in CI and under `dagger run` there are plain lines. Data goes to standard output: the
published references, or with --json the document of the run.""",
)
@click.argument("words", metavar="[WORD]...", nargs=-1, shell_complete=steps)
@click.option("--json", "as_json", is_flag=True, help="Print the run as a JSON document (schema 1).")
@click.option(
    "-o", "--output", type=click.Path(dir_okay=False, allow_dash=True), help="Write the JSON document to a file; - is standard output."
)
@click.option("--engine", type=click.Choice([kind.value for kind in EngineKind]), help="Which engine runs the containers.")
@click.option("--publish/--no-publish", "publish", default=None, help="Publish whatever [publish] when says, or not at all.")
@click.option("--keep-going/--fail-fast", "keep_going", default=None, help="After a failure go on with what does not need it, or stop.")
@click.option("-j", "--width", type=click.IntRange(min=1), help="At most so many steps at once.")
@click.option("--allow-empty", is_flag=True, help="No step to run is no error.")
@click.option("--dry-run", is_flag=True, help="Show what would run, as `plan` does.")
@click.option("--progress", type=click.Choice([kind.value for kind in Progress]), default="auto", help="Live board or plain lines.")
@common
def command(words: tuple[str, ...], **options: Any) -> int:
    """Run the given steps, and what they need."""
    here = settings()
    project = here.load({"engine": options["engine"]}).project
    request = _request(words, options, here)
    if options["dry_run"]:
        from pipelines.cli.plan import show

        return show(project, request, here, as_json=options["as_json"])
    run = _execute(project, request, here, Progress(options["progress"]))
    _report(run, project, here, as_json=options["as_json"], output=options["output"])
    return int(run.exit_code)


def _request(words: tuple[str, ...], options: dict[str, Any], here: Settings) -> RunRequest:
    from pipelines.flow.run import RunRequest

    return RunRequest(
        words=words,
        publish=options["publish"],
        width=options["width"],
        keep_going=options["keep_going"],
        allow_empty=options["allow_empty"],
        environ=here.environ,
    )


def _execute(project: Project, request: RunRequest, here: Settings, progress: Progress) -> Run:
    import anyio

    terminal = here.stderr(progress)
    # A step's own print must not end up between the data on standard output.
    with _showing(terminal, here) as sink, contextlib.redirect_stdout(cast("TextIO", _ToStandardError())):
        return anyio.run(_watched, project, request, sink, terminal)


class _ToStandardError(io.TextIOBase):
    """Standard error as it is at the moment of writing: a live board puts itself in its place."""

    def writable(self) -> bool:
        return True

    def write(self, text: str) -> int:
        return sys.stderr.write(text)

    def flush(self) -> None:
        sys.stderr.flush()


async def _watched(project: Project, request: RunRequest, sink: Shown, terminal: Terminal) -> Run:
    """The run, with a clock that ticks for the board and signals that stop it."""
    import anyio

    from pipelines.cli.signals import stopping
    from pipelines.engine.session import kill_sessions
    from pipelines.flow.run import run_project
    from pipelines.flow.stop import Stop

    stop = Stop()

    def first(signum: int) -> None:
        sink.note(f"{signal.Signals(signum).name}: stopping; once more to kill")
        stop.request(signum)

    def second() -> None:
        kill_sessions()
        if terminal.live:
            terminal.stream.write(_SHOW_CURSOR)
            terminal.stream.flush()

    with stopping(first, second):
        ticking = anyio.CancelScope()

        async def tick() -> None:
            with ticking:
                while True:
                    sink.tick()
                    await anyio.sleep(TICK_S)

        result: Run | None = None
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(tick)
            try:
                result = await run_project(project, request, sink, stop)
            finally:
                ticking.cancel()
    assert result is not None  # noqa: S101 - an exception would have left the group
    return result


@contextlib.contextmanager
def _showing(terminal: Terminal, here: Settings) -> Iterator[Shown]:
    """The sink for this terminal; a board is put away whatever happens."""
    if terminal.live and here.verbosity == 0:
        from pipelines.cli.progress.board import Board

        with contextlib.closing(Board(terminal)) as board:
            yield board
        return
    from pipelines.cli.progress.plain import Plain, Silent
    from pipelines.providers import detect

    yield Silent() if here.verbosity < 0 else Plain(terminal, detect(here.environ), verbosity=here.verbosity)


def _report(run: Run, project: Project, here: Settings, *, as_json: bool, output: str | None) -> None:
    from pipelines.cli.ci import tell_provider
    from pipelines.cli.summary import summarise

    reports = project.root / ".lockgate" / "reports"
    summarise(run, here, here.stderr(), reports=str(reports) if reports.is_dir() else None)
    tell_provider(run, project, here)
    if as_json or output is not None:
        _write_document(run, here, output or "-")
    if not as_json and output != "-":
        _print_published(run, here)


def _write_document(run: Run, here: Settings, output: str) -> None:
    from pipelines.report.document import render

    text = render(run)
    if output == "-":
        sys.stdout.write(text)
        return
    from pipelines.report.files import replace_text

    replace_text(here.directory / Path(output), text)


def _print_published(run: Run, here: Settings) -> None:
    from pipelines.report.select import images

    for image in images(run.results):
        if image.published and image.ref:
            here.stdout().line(image.ref)
