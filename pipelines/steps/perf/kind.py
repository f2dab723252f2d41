"""Performance checks as a kind of step."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipelines.steps.image.uses import foreign_images
from pipelines.steps.interface import CheckResult, CheckState, Kind
from pipelines.steps.perf.definition import definitions
from pipelines.steps.perf.section import SECTION
from pipelines.steps.perf.spec import NAME, performance_checks_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from pipelines.model import Project
    from pipelines.steps.first_look.project_facts import ProjectFacts


def _images(project: Project) -> Iterator[str]:
    for spec in performance_checks_of(project).values():
        yield from foreign_images(project, [spec.service])
        yield spec.image


def _examine(project: Project) -> Iterator[CheckResult]:
    for spec in performance_checks_of(project).values():
        file = project.root / spec.script
        if not file.is_file():
            yield CheckResult(
                f"perf {spec.name}", CheckState.FAILED, f"there is no script at {file}", f"correct `script` in [perf.{spec.name}]"
            )


def _propose(seen: ProjectFacts) -> Iterable[list[str]]:
    from pipelines.steps.perf.proposal import propose

    return propose(seen)


KIND = Kind(name=NAME, section=SECTION, definitions=definitions, images=_images, examine=_examine, propose=_propose)
