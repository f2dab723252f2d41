"""What is said once a run has ended: what went wrong, the last lines of it, how to run it again, and one line for all."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipelines.cli.name import renamed, shown
from pipelines.errors import ExitCode
from pipelines.foundation.durations import rounded_duration
from pipelines.foundation.text import one_line, plain
from pipelines.model import Status
from pipelines.report.select import bad, images, open_findings
from pipelines.report.text import counts, finding_line, outcome

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from pipelines.cli.options import Settings
    from pipelines.cli.terminal import Terminal
    from pipelines.model import Result, Run

TAIL_LINES = 12
_MOST_FINDINGS = 10
_LOG_WIDTH = 200
_MOST_FAILURES = 5
"""Failures told at length; the others are named."""

_WORDS: Mapping[int, tuple[str, str]] = {
    ExitCode.OK: ("ok:", "green"),
    ExitCode.UNAVAILABLE: ("unavailable:", "red"),
    ExitCode.INTERNAL: ("internal error:", "red"),
    ExitCode.INTERRUPTED: ("interrupted:", "yellow"),
    ExitCode.TERMINATED: ("terminated:", "yellow"),
}


def summarise(run: Run, settings: Settings, terminal: Terminal, *, reports: str | None) -> None:
    """Print the summary of a run."""
    for line in _lines(run, settings, terminal, reports):
        terminal.line(line)


def _lines(run: Run, settings: Settings, terminal: Terminal, reports: str | None) -> Iterator[str]:
    failed = bad(run)
    for result in failed[:_MOST_FAILURES]:
        yield ""
        yield from _failure(result, settings, terminal)
    for result in failed[_MOST_FAILURES:]:
        yield f"{terminal.paint(result.id, bold=True)} {outcome(result)}"
    if settings.verbosity < 0 and run.exit_code == ExitCode.OK:
        return
    yield from _warnings(run, terminal)
    yield ""
    yield from _origins(run)
    if reports is not None:
        yield f"{_label('reports', terminal)}{shown(reports)}"
    yield f"{_verdict(run, terminal)} {counts(_of_this_run(run))} in {rounded_duration(run.duration_s)}"


def _failure(result: Result, settings: Settings, terminal: Terminal) -> Iterator[str]:
    yield terminal.paint(f"{result.id} {outcome(result)}", fg="red", bold=True) + (f": {one_line(result.reason)}" if result.reason else "")
    found = open_findings(result)
    for finding in found[:_MOST_FINDINGS]:
        yield _cut(f"  {one_line(finding_line(finding))}", terminal)
    if len(found) > _MOST_FINDINGS:
        yield f"  and {len(found) - _MOST_FINDINGS} more in the reports"
    tail = [plain(text).rstrip() for text in result.tail][-TAIL_LINES:]
    for line in tail:
        yield f"  {terminal.paint('│' if terminal.unicode else '|', dim=True)} {line}"
    if result.next_step and not any(result.next_step in line for line in tail):
        yield f"  {_label('next', terminal)}{renamed(one_line(result.next_step), settings.program)}"
    if result.log:
        yield f"  {_label('log', terminal)}{shown(result.log)}"
    yield f"  {_label('again', terminal)}{settings.again('run', result.id)}"


def _warnings(run: Run, terminal: Terminal) -> Iterator[str]:
    for result in run.results:
        if result.warning:
            yield f"{terminal.paint('warning:', fg='yellow')} {result.id}: {one_line(result.warning)}"


def _origins(run: Run) -> Iterator[str]:
    """Bases that are not the official ones are mentioned."""
    for image in images(run.results):
        if image.base and image.origin == "built":
            yield f"{image.name}: its base image was built on this machine, it is not the official one ({_short(image.base)})"


def _cut(line: str, terminal: Terminal) -> str:
    """A line that stays one: of a terminal's width, or in a log of a bearable one. The reports have all of it."""
    limit = terminal.width if terminal.live else _LOG_WIDTH
    return line if len(line) <= limit else f"{line[: limit - 1]}{'…' if terminal.unicode else '~'}"


def _short(reference: str) -> str:
    """A reference with as much of its digest as people compare."""
    name, at, digest = reference.partition("@sha256:")
    return f"{name}{at}{digest[:12]}"


def _of_this_run(run: Run) -> list[Result]:
    from pipelines.flow.plan import NOT_SELECTED

    return [result for result in run.results if not (result.status is Status.SKIPPED and result.reason == NOT_SELECTED)]


def _verdict(run: Run, terminal: Terminal) -> str:
    word, color = _WORDS.get(run.exit_code, ("failed:", "red"))
    return terminal.paint(word, fg=color, bold=True)


def _label(word: str, terminal: Terminal) -> str:
    return terminal.paint(f"{word + ':':<8}", dim=True) + " "
