"""`logs`: what a step of a run printed, from the run's own folder."""

from __future__ import annotations

import io
import json
from typing import TYPE_CHECKING

import click

from pipelines.cli.complete import steps
from pipelines.cli.options import Settings, common, settings
from pipelines.errors import NothingSelected, UsageError
from pipelines.foundation.files import OWN_FOLDER
from pipelines.foundation.regular_files import read_text, reading

if TYPE_CHECKING:
    from pathlib import Path

    from pipelines.report.record import RunRecord

RUNS = f"{OWN_FOLDER}/runs"
NO_RECORD = "no record of its end: it was killed, or the machine stopped"


@click.command(
    "logs",
    short_help="Show what a step printed.",
    help="""Print the whole output of a step of the latest run, or of the run given by --run.

Without an ID: the steps of that run, how they ended, and where their logs are.""",
)
@click.argument("step", metavar="[ID]", required=False, shell_complete=steps)
@click.option("--run", "run_id", metavar="RUN", help="A run's id, as `logs --list` shows it; the latest by default.")
@click.option("--list", "list_runs", is_flag=True, help="List the runs that are kept.")
@common
def command(step: str | None, *, run_id: str | None, list_runs: bool) -> int:
    """Print the output of a step."""
    here = settings()
    runs = here.load().project.root / RUNS
    if list_runs:
        return _list(runs, here)
    folder = _folder(runs, run_id)
    if step is None:
        return _steps(folder, here)
    out = here.stdout()
    from pipelines.foundation.text import plain

    with io.TextIOWrapper(reading(_log(folder, step), follow=True), encoding="utf-8", errors="replace", newline="\n") as file:
        for line in file:
            out.line(plain(line.rstrip("\r\n")))
    return 0


def _folder(runs: Path, run_id: str | None) -> Path:
    """The folder of a run.

    Raises:
        UsageError: there is no such run, or none at all.
    """
    known = _runs(runs)
    if not known:
        raise UsageError("there are no logs of a run here", next_step="lockgate run")
    if run_id is None:
        latest = runs / "latest"
        return latest if latest.is_dir() else known[0]
    for folder in known:
        if folder.name == run_id:
            return folder
    raise UsageError(f"no run {run_id!r} is kept here", next_step="`lockgate logs --list` shows the runs that are kept")


def _runs(runs: Path) -> list[Path]:
    """The folders of runs, newest first; their names sort by time."""
    if not runs.is_dir():
        return []
    return sorted((path for path in runs.iterdir() if path.is_dir() and not path.is_symlink()), reverse=True)


def _log(folder: Path, step: str) -> Path:
    """The log file of a step.

    Raises:
        NothingSelected: the run has no log of it.
    """
    logs = {path.stem: path for path in sorted((folder / "logs").glob("*.log"))}
    if step in logs:
        return logs[step]
    import difflib

    close = difflib.get_close_matches(step, logs, 1)
    raise NothingSelected(
        f"run {folder.resolve().name} has no log of {step!r}" + (f"; did you mean {close[0]}?" if close else ""),
        cause=f"logs: {', '.join(logs)}" if logs else "none of its steps ran",
        next_step="`lockgate logs` lists its steps",
    )


def _steps(folder: Path, here: Settings) -> int:
    from pipelines.cli.name import shown

    out = here.stdout()
    record = _record(folder)
    steps = record.steps if record else ()
    width = max((len(step.id) for step in steps), default=0)
    for step in steps:
        out.line(f"{step.id:<{width}}  {step.status:<9}  {shown(step.log) if step.log else ''}".rstrip())
    if not steps:
        for path in sorted((folder / "logs").glob("*.log")):
            out.line(f"{path.stem}  {shown(path)}")
    if record is None and not _is_at_work(folder):
        here.stderr().line(f"run {folder.resolve().name} left {NO_RECORD}")
    return 0


def _is_at_work(folder: Path) -> bool:
    """Whether the run of a folder is still at work: it is the newest one, and its project is locked."""
    from pipelines.flow.lock import is_locked

    runs = folder.resolve().parent
    return is_locked(runs.parent / "lock") and _runs(runs)[:1] == [folder.resolve()]


def _list(runs: Path, here: Settings) -> int:
    out = here.stdout()
    for folder in _runs(runs):
        record = _record(folder)
        if record is not None:
            said = f"exit {record.run.exit_code}  {record.run.end}  {(record.run.revision or '')[:12]}"
        else:
            said = "exit ?  at work" if _is_at_work(folder) else f"exit ?  {NO_RECORD}"
        out.line(f"{folder.name}  {said}".rstrip())
    return 0


def _record(folder: Path) -> RunRecord | None:
    """The run's record; None while it is still at work, or was killed."""
    from pipelines.report.record import RunRecord

    try:
        return RunRecord.from_json(json.loads(read_text(folder / "run.json")))
    except (OSError, ValueError, RecursionError):
        return None
