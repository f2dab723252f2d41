"""Scans as a kind of step."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipelines.steps.interface import Kind
from pipelines.steps.scan.definition import definitions
from pipelines.steps.scan.section import SECTION
from pipelines.steps.scan.spec import NAME, scan_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from pipelines.model import Project
    from pipelines.registry import ManifestSummary
    from pipelines.steps.first_look.project_facts import ProjectFacts
    from pipelines.steps.interface import CheckResult


def _images(project: Project) -> Iterator[str]:
    spec = scan_of(project)
    if spec is not None:
        yield spec.image
        yield from [spec.database] if spec.database is not None else []


def _examine_images(project: Project, found: Mapping[str, ManifestSummary | None]) -> Iterable[CheckResult]:
    from pipelines.steps.scan.checkup import database_age

    return database_age(project, found)


def _propose(_seen: ProjectFacts) -> Iterable[list[str]]:
    return (["[scan]", 'fail_on = "high"'],)


KIND = Kind(name=NAME, section=SECTION, definitions=definitions, images=_images, examine_images=_examine_images, propose=_propose)
