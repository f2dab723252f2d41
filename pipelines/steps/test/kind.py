"""Tests as a kind of step."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipelines.steps.image.uses import foreign_images
from pipelines.steps.interface import Kind
from pipelines.steps.test.definition import definitions
from pipelines.steps.test.section import SECTION
from pipelines.steps.test.spec import NAME, configured_tests

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from pipelines.model import Project
    from pipelines.steps.first_look.project_facts import ProjectFacts


def _images(project: Project) -> Iterator[str]:
    for spec in configured_tests(project).values():
        yield from foreign_images(project, spec.services.values())


def _propose(seen: ProjectFacts) -> Iterable[list[str]]:
    from pipelines.steps.test.proposal import propose

    return propose(seen)


KIND = Kind(name=NAME, section=SECTION, definitions=definitions, images=_images, propose=_propose)
