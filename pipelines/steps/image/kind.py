"""Images as a kind of step."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipelines.steps.image.definition import definitions
from pipelines.steps.image.section import SECTION
from pipelines.steps.image.spec import NAME
from pipelines.steps.interface import Kind

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pipelines.model import Project
    from pipelines.steps.first_look.project_facts import ProjectFacts
    from pipelines.steps.interface import CheckResult


def _images(project: Project) -> Iterable[str]:
    from pipelines.steps.image.checkup import base_images

    return base_images(project)


def _examine(project: Project) -> Iterable[CheckResult]:
    from pipelines.steps.image.checkup import dockerfiles

    return dockerfiles(project)


def _propose(seen: ProjectFacts) -> Iterable[list[str]]:
    from pipelines.steps.image.proposal import propose

    return propose(seen)


KIND = Kind(name=NAME, section=SECTION, definitions=definitions, images=_images, examine=_examine, propose=_propose)
