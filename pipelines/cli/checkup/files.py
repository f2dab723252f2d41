"""Files that the configuration needs, files of this machine in the wrong place, and names that clash."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from pipelines.cli.name import shadows
from pipelines.flow.folder import ProjectHome
from pipelines.flow.lock import is_locked
from pipelines.foundation.files import OWN_FOLDER
from pipelines.foundation.process.blocking import run_blocking
from pipelines.foundation.process.result import ProcessError
from pipelines.steps.interface import CheckResult, CheckState
from pipelines.steps.kinds import KINDS

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from pipelines.model import Project

LOCAL_FILE = "lockgate.local.toml"


def names(folder: Path) -> Iterator[CheckResult]:
    """A folder `pipelines` of the project's own would be run by `python -m pipelines`."""
    if shadows(folder):
        yield CheckResult(
            "name",
            CheckState.WARNING,
            f"{folder / 'pipelines'} is found by `python -m pipelines` in place of Lockgate",
            "use the command `lockgate` instead",
        )
    else:
        yield CheckResult("name", CheckState.OK, "`lockgate` and `python -m pipelines` are the same here")


def needed(project: Project) -> Iterator[CheckResult]:
    """What a run would miss: files the configuration names, and a folder for its results. Nothing where all of it is there."""
    for kind in KINDS:
        yield from kind.examine(project)
    folder = project.root / OWN_FOLDER
    if not os.access(folder if folder.exists() else project.root, os.W_OK):
        yield CheckResult(
            "results",
            CheckState.FAILED,
            f"{folder} cannot be written, and a run keeps its logs and reports there",
            "make the project's folder writable, or work in a copy of it",
        )


def earlier(project: Project) -> Iterator[CheckResult]:
    """What the newest run left unsaid. Nothing where it left the record of its end, or is at work."""
    home = ProjectHome.of(project.root)
    run = home.unfinished()
    if run is not None and not is_locked(home.lock):
        said = f"run {run} left no record of its end: it was killed, or the machine stopped"
        yield CheckResult("last run", CheckState.WARNING, said, f"lockgate logs --run {run} shows what it printed; lockgate run")


def local(project: Project) -> Iterator[CheckResult]:
    """Local files that git does not ignore, so that they could be committed."""
    yield from _ignored(project.root)


def _ignored(root: Path) -> Iterator[CheckResult]:
    for name, probe in ((OWN_FOLDER, f"{OWN_FOLDER}/state.json"), (LOCAL_FILE, LOCAL_FILE)):
        seen = _is_ignored(root, probe) if (root / name).exists() else None
        if seen is False:
            fix = f"echo {name} >> {root / '.gitignore'}; git -C {root} rm -r --cached --ignore-unmatch {name}"
            yield CheckResult(name, CheckState.WARNING, "git does not ignore it, although it is for this machine only", fix)
        elif seen:
            yield CheckResult(name, CheckState.OK, "ignored by git")


def _is_ignored(root: Path, name: str) -> bool | None:
    """Whether git ignores a path; None outside a repository or without git. A tracked file counts as not ignored."""
    try:
        answer = run_blocking(["git", "-C", str(root), "check-ignore", "-q", name], timeout_s=10)
    except (OSError, ProcessError):
        return None
    return {0: True, 1: False}.get(answer.code)
