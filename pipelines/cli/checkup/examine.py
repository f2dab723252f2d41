"""All questions in order; a question that itself fails is an answer too."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipelines.cli.name import renamed
from pipelines.errors import LockgateError
from pipelines.steps.interface import CheckResult, CheckState

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from pipelines.cli.options import Settings
    from pipelines.model import Project


def examine(here: Settings) -> tuple[CheckResult, ...]:
    """Ask everything. Without a readable configuration, what depends on it is left out."""
    from dataclasses import replace

    answers = (replace(answer, fix=renamed(answer.fix, here.program)) if answer.fix is not None else answer for answer in _answers(here))
    return tuple(answers)


def _answers(here: Settings) -> Iterator[CheckResult]:
    from pipelines.cli.checkup import files, images, machine, network

    yield from machine.python()
    project, about = _configuration(here)
    yield about
    yield from machine.tools(here.environ)
    yield from _asked("engine", lambda: machine.engine(project, here.environ))
    yield from _asked("disk", lambda: machine.disk(project, here.environ))
    if project is not None:
        yield from _asked("files", lambda: files.needed(project))
        yield from _asked("registry", lambda: network.registry(project))
        yield from _asked("images", lambda: images.images(project, here.environ, certain=machine.is_embedded(project, here.environ)))
        yield from _asked("files", lambda: files.local(project))
        yield from _asked("last run", lambda: files.earlier(project))
    yield from files.names(project.root if project is not None else here.directory)


def _configuration(here: Settings) -> tuple[Project | None, CheckResult]:
    try:
        project = here.load().project
    except LockgateError as error:
        seen = [error.message, *getattr(error, "problems", ()), *([error.cause] if error.cause else [])]
        return None, CheckResult("configuration", CheckState.FAILED, "; ".join(seen[:3]), error.next_step)
    return project, CheckResult("configuration", CheckState.OK, str(project.config_file))


def _asked(name: str, question: Callable[[], Iterator[CheckResult]]) -> Iterator[CheckResult]:
    try:
        yield from question()
    except (OSError, ValueError) as error:
        yield CheckResult(name, CheckState.WARNING, f"could not be checked: {error}")
