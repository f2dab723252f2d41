"""Files that the configuration needs, files of this machine in the wrong place, and names that clash."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from pipelines.cli.checkup.answer import Answer, State
from pipelines.cli.name import shadows
from pipelines.foundation.process.blocking import run_blocking
from pipelines.foundation.process.result import ProcessError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from pipelines.model import Project

LOCAL_FILE = "lockgate.local.toml"


def names(folder: Path) -> Iterator[Answer]:
    """A folder `pipelines` of the project's own would be run by `python -m pipelines`."""
    if shadows(folder):
        yield Answer("name", State.WARNING, f"{folder / 'pipelines'} hides ours from `python -m pipelines`", "say `lockgate` instead")
    else:
        yield Answer("name", State.OK, "`lockgate` and `python -m pipelines` are the same here")


def needed(project: Project) -> Iterator[Answer]:
    """What a run would miss: files the configuration names, and a folder for its results. Nothing where all of it is there."""
    for image in project.images.values():
        file = project.root / image.context / image.dockerfile
        if not file.is_file():
            yield Answer(
                f"image {image.name}",
                State.FAILED,
                f"there is no Dockerfile at {file}",
                f"write one, or set `dockerfile` in [images.{image.name}]",
            )
    for perf in project.perf.values():
        if not (project.root / perf.script).is_file():
            yield Answer(
                f"perf {perf.name}",
                State.FAILED,
                f"there is no script at {project.root / perf.script}",
                f"correct `script` in [perf.{perf.name}]",
            )
    folder = project.root / ".lockgate"
    if not os.access(folder if folder.exists() else project.root, os.W_OK):
        yield Answer(
            "results",
            State.FAILED,
            f"{folder} cannot be written, and a run keeps its logs and reports there",
            "make the project's folder writable, or work in a copy of it",
        )


def local(project: Project) -> Iterator[Answer]:
    """Local files that git does not ignore, so that they could be committed."""
    yield from _ignored(project.root)


def _ignored(root: Path) -> Iterator[Answer]:
    for name, probe in ((".lockgate", ".lockgate/state.json"), (LOCAL_FILE, LOCAL_FILE)):
        seen = _is_ignored(root, probe) if (root / name).exists() else None
        if seen is False:
            fix = f"echo {name} >> {root / '.gitignore'}; git -C {root} rm -r --cached --ignore-unmatch {name}"
            yield Answer(name, State.WARNING, "git does not ignore it, though it belongs to this machine", fix)
        elif seen:
            yield Answer(name, State.OK, "ignored by git")


def _is_ignored(root: Path, name: str) -> bool | None:
    """Whether git ignores a path; None outside a repository or without git. A tracked file counts as not ignored."""
    try:
        answer = run_blocking(["git", "-C", str(root), "check-ignore", "-q", name], timeout_s=10)
    except (OSError, ProcessError):
        return None
    return {0: True, 1: False}.get(answer.code)
