"""`logs`: what a step of a run printed, from the run's own folder."""

from __future__ import annotations

import io
import json
from typing import TYPE_CHECKING

import click

from pipelines.cli.complete import steps
from pipelines.cli.options import Settings, common, settings
from pipelines.errors import NothingSelected, UsageError
from pipelines.flow.folder import ProjectHome
from pipelines.foundation.regular_files import read_text, reading
from pipelines.foundation.similar import did_you_mean
from pipelines.report.record import RunRecord

if TYPE_CHECKING:
    from pathlib import Path

    from pipelines.flow.folder import RunFolder

AT_WORK = "at work"
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
    home = ProjectHome.of(here.load().project.root)
    if list_runs:
        return _list(home, here)
    folder = _folder(home, run_id)
    if step is None:
        return _steps(home, folder, here)
    out = here.stdout()
    from pipelines.foundation.text import plain

    with io.TextIOWrapper(reading(_log(folder, step), follow=True), encoding="utf-8", errors="replace", newline="\n") as file:
        for line in file:
            out.line(plain(line.rstrip("\r\n")))
    return 0


def _folder(home: ProjectHome, run_id: str | None) -> RunFolder:
    """The folder of a run.

    Raises:
        UsageError: there is no such run, or none at all.
    """
    known = home.kept_runs()
    if not known:
        raise UsageError("there are no logs of a run here", next_step="lockgate run")
    if run_id is None:
        return home.latest() or known[0]
    for folder in known:
        if folder.id == run_id:
            return folder
    raise UsageError(f"no run {run_id!r} is kept here", next_step="`lockgate logs --list` shows the runs that are kept")


def _log(folder: RunFolder, step: str) -> Path:
    """The log file of a step.

    Raises:
        NothingSelected: the run has no log of it.
    """
    logs = {path.stem: path for path in sorted(folder.logs.glob("*.log"))}
    if step in logs:
        return logs[step]
    raise NothingSelected(
        f"run {folder.id} has no log of {step!r}{did_you_mean(step, logs)}",
        cause=f"logs: {', '.join(logs)}" if logs else "none of its steps ran",
        next_step="`lockgate logs` lists its steps",
    )


def _steps(home: ProjectHome, folder: RunFolder, here: Settings) -> int:
    from pipelines.cli.name import shown

    out = here.stdout()
    record = _record(home, folder)
    steps = record.steps if isinstance(record, RunRecord) else ()
    width = max((len(step.id) for step in steps), default=0)
    for step in steps:
        out.line(f"{step.id:<{width}}  {step.status:<9}  {shown(step.log) if step.log else ''}".rstrip())
    if not steps:
        for path in sorted(folder.logs.glob("*.log")):
            out.line(f"{path.stem}  {shown(path)}")
    if isinstance(record, str) and record != AT_WORK:
        here.stderr().line(f"run {folder.id} left {record}")
    return 0


def _is_at_work(home: ProjectHome, folder: RunFolder) -> bool:
    """Whether the run of a folder is still at work: it is the newest one, and its project is locked."""
    from pipelines.flow.lock import is_locked

    return is_locked(home.lock) and home.kept_runs()[:1] == (folder,)


def _list(home: ProjectHome, here: Settings) -> int:
    out = here.stdout()
    for folder in home.kept_runs():
        record = _record(home, folder)
        if isinstance(record, str):
            said = f"exit ?  {record}"
        else:
            said = f"exit {record.run.exit_code}  {record.run.end}  {(record.run.revision or '')[:12]}"
        out.line(f"{folder.id}  {said}".rstrip())
    return 0


def _record(home: ProjectHome, folder: RunFolder) -> RunRecord | str:
    """The run's record, or why there is none."""
    try:
        return RunRecord.from_json(json.loads(read_text(folder.record)))
    except FileNotFoundError:
        return AT_WORK if _is_at_work(home, folder) else NO_RECORD
    except (OSError, ValueError, RecursionError) as error:
        return f"a record that cannot be read: {error}"
