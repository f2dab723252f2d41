"""What the configuration says of performance checks."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from pipelines.model import OnInconclusive, StepLimits

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pipelines.model import Project
    from pipelines.steps.common.service_spec import ServiceSpec

NAME = "perf"
"""The name of this kind of step."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Thresholds:
    """Limits of a performance check: 95th percentile latency in milliseconds, share of failed requests (0 to 1), requests per second."""

    p95_ms: float | None = None
    error_rate: float | None = None
    min_rps: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PerfSpec:
    """`[perf.NAME]`: a k6 script against a service made of the candidate image."""

    name: str
    script: str
    service: ServiceSpec
    alias: str = "service"
    image: str = "k6"
    thresholds: Thresholds = Thresholds()
    env: Mapping[str, str] = field(default_factory=dict)
    on_inconclusive: OnInconclusive = OnInconclusive.FAIL
    limits: StepLimits = field(default_factory=StepLimits)


def performance_checks_of(project: Project) -> Mapping[str, PerfSpec]:
    """The performance checks of a project, by name."""
    return project.steps.get(NAME, {})
