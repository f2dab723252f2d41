"""The section [perf] of a configuration: from its tables to performance checks, and what has to fit."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pipelines.config.section import Section, limits_of
from pipelines.model import OnInconclusive
from pipelines.steps.common.service_spec import service_of
from pipelines.steps.image.problems import service_problems
from pipelines.steps.perf.spec import NAME, PerfSpec, Thresholds, performance_checks_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from pipelines.config.table import Table
    from pipelines.model import Project


def _table() -> type[Table]:
    from pipelines.steps.perf.table import PerfTable

    return PerfTable


def _check(name: str, values: Mapping[str, Any], default_s: float) -> PerfSpec:
    limits = values["thresholds"]
    return PerfSpec(
        name=name,
        script=values["script"],
        service=service_of(values["service"]),
        alias=values["alias"],
        image=values["image"],
        thresholds=Thresholds(p95_ms=limits.get("p95_ms"), error_rate=limits.get("error_rate"), min_rps=limits.get("min_rps")),
        env=values["env"],
        on_inconclusive=OnInconclusive(values["on_inconclusive"]),
        limits=limits_of(values, default_s),
    )


def _problems(project: Project) -> Iterator[str]:
    for name, spec in performance_checks_of(project).items():
        yield from service_problems(f"perf.{name}.service", spec.service, project)


SECTION = Section(
    key="perf",
    kind=NAME,
    description="Performance checks by name: step perf.NAME.",
    example="checkout",
    table=_table,
    convert=_check,
    problems=_problems,
    later=frozenset({"baseline", "statistics"}),
)
