"""What the configuration says of scans."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

from pipelines.config.section import ONLY
from pipelines.model import OnInconclusive, Severity, StepLimits

if TYPE_CHECKING:
    from pipelines.model import Project, Waiver

NAME = "scan"
"""The name of this kind of step."""
SOURCES = "sources"
"""The name of the step that scans the project's files."""


class EndOfSupport(StrEnum):
    """What a scan makes of an operating system that its maker no longer supports: vulnerabilities found since then are not reported."""

    FAIL = "fail"
    WARN = "warn"


@dataclass(frozen=True, slots=True, kw_only=True)
class ScanSpec:
    """`[scan]`: Trivy over every image and the sources. `database` names an image (of images.lock, or a reference) that carries it;
    `allow_fixture_database` and `allow_unknown_age` let such a database count by name.
    """

    fail_on: Severity = Severity.HIGH
    sources: bool = True
    waivers: tuple[Waiver, ...] = ()
    image: str = "trivy"
    database: str | None = "trivy-db"
    max_age_days: int = 7
    allow_fixture_database: bool = False
    allow_unknown_age: bool = False
    end_of_support: EndOfSupport = EndOfSupport.WARN
    on_inconclusive: OnInconclusive = OnInconclusive.FAIL
    limits: StepLimits = field(default_factory=StepLimits)


def scan_of(project: Project) -> ScanSpec | None:
    """How a project is scanned; None where it is not."""
    return project.steps.get(NAME, {}).get(ONLY)
