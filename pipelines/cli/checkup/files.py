"""Files that the configuration needs, files of this machine in the wrong place, and names that clash."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from pipelines.cli.checkup.answer import Answer, State
from pipelines.cli.name import shadows
from pipelines.config.suggest import did_you_mean
from pipelines.flow.folder import ProjectHome
from pipelines.flow.lock import is_locked
from pipelines.foundation.dockerfile import NotADockerfile, read, stages_of
from pipelines.foundation.files import OWN_FOLDER
from pipelines.foundation.process.blocking import run_blocking
from pipelines.foundation.process.result import ProcessError
from pipelines.foundation.regular_files import read_text

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from pipelines.model import ImageSpec, Project

LOCAL_FILE = "lockgate.local.toml"


def names(folder: Path) -> Iterator[Answer]:
    """A folder `pipelines` of the project's own would be run by `python -m pipelines`."""
    if shadows(folder):
        yield Answer(
            "name",
            State.WARNING,
            f"{folder / 'pipelines'} is found by `python -m pipelines` in place of Lockgate",
            "use the command `lockgate` instead",
        )
    else:
        yield Answer("name", State.OK, "`lockgate` and `python -m pipelines` are the same here")


def needed(project: Project) -> Iterator[Answer]:
    """What a run would miss: files the configuration names, and a folder for its results. Nothing where all of it is there."""
    for image in project.images.values():
        wrong = _wrong(project, image)
        if wrong is not None:
            yield Answer(f"image {image.name}", State.FAILED, *wrong)
    for perf in project.perf.values():
        if not (project.root / perf.script).is_file():
            yield Answer(
                f"perf {perf.name}",
                State.FAILED,
                f"there is no script at {project.root / perf.script}",
                f"correct `script` in [perf.{perf.name}]",
            )
    folder = project.root / OWN_FOLDER
    if not os.access(folder if folder.exists() else project.root, os.W_OK):
        yield Answer(
            "results",
            State.FAILED,
            f"{folder} cannot be written, and a run keeps its logs and reports there",
            "make the project's folder writable, or work in a copy of it",
        )


def earlier(project: Project) -> Iterator[Answer]:
    """What the newest run left unsaid. Nothing where it left the record of its end, or is at work."""
    home = ProjectHome.of(project.root)
    run = home.unfinished()
    if run is not None and not is_locked(home.lock):
        said = f"run {run} left no record of its end: it was killed, or the machine stopped"
        yield Answer("last run", State.WARNING, said, f"lockgate logs --run {run} shows what it printed; lockgate run")


def _wrong(project: Project, image: ImageSpec) -> tuple[str, str] | None:
    """What is wrong with an image's Dockerfile, and what to do; None where its stages can be read and are those that are asked for."""
    file = project.root / image.context / image.dockerfile
    if not file.is_file():
        return f"there is no Dockerfile at {file}", f"write one, or set `dockerfile` in [images.{image.name}]"
    try:
        stages = [stage.name.lower() for stage in stages_of(read(read_text(file, errors="replace")))]
    except (OSError, NotADockerfile) as error:
        return f"{file} cannot be read: {error}", "correct the Dockerfile"
    known = {name for name in stages if name} | {str(number) for number in range(len(stages))}
    missing = next((target for target in _targets(project, image) if target.lower() not in known), None)
    if missing is None:
        return None
    return f"{file} has no stage {missing}{did_you_mean(missing, filter(None, stages))}", "correct `target` in the configuration"


def _targets(project: Project, image: ImageSpec) -> Iterator[str]:
    """The stages of an image that the configuration names."""
    services = [service for test in project.tests.values() for service in test.services.values()]
    services += [perf.service for perf in project.perf.values()]
    yield from [image.target] if image.target else []
    yield from (test.image.target for test in project.tests.values() if test.image.name == image.name and test.image.target)
    yield from (service.target for service in services if service.image == image.name and service.target)


def local(project: Project) -> Iterator[Answer]:
    """Local files that git does not ignore, so that they could be committed."""
    yield from _ignored(project.root)


def _ignored(root: Path) -> Iterator[Answer]:
    for name, probe in ((OWN_FOLDER, f"{OWN_FOLDER}/state.json"), (LOCAL_FILE, LOCAL_FILE)):
        seen = _is_ignored(root, probe) if (root / name).exists() else None
        if seen is False:
            fix = f"echo {name} >> {root / '.gitignore'}; git -C {root} rm -r --cached --ignore-unmatch {name}"
            yield Answer(name, State.WARNING, "git does not ignore it, although it is for this machine only", fix)
        elif seen:
            yield Answer(name, State.OK, "ignored by git")


def _is_ignored(root: Path, name: str) -> bool | None:
    """Whether git ignores a path; None outside a repository or without git. A tracked file counts as not ignored."""
    try:
        answer = run_blocking(["git", "-C", str(root), "check-ignore", "-q", name], timeout_s=10)
    except (OSError, ProcessError):
        return None
    return {0: True, 1: False}.get(answer.code)
