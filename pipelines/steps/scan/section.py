"""The section [scan] of a configuration: from its table to how a project is scanned, and what has to fit."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from typing import TYPE_CHECKING, Any

from pipelines.config.section import Section, limits_of
from pipelines.model import OnInconclusive, Severity, Waiver
from pipelines.steps.image.spec import images_of
from pipelines.steps.scan.spec import NAME, SOURCES, EndOfSupport, ScanSpec, scan_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from pipelines.config.table import Table
    from pipelines.model import Project


def _table() -> type[Table]:
    from pipelines.steps.scan.table import ScanTable

    return ScanTable


def _scan(_name: str, values: Mapping[str, Any], default_s: float) -> ScanSpec:
    return ScanSpec(
        fail_on=Severity(values["fail_on"]),
        sources=values["sources"],
        waivers=tuple(_waiver(waiver) for waiver in values["waivers"]),
        image=values["image"],
        database=values.get("database"),
        max_age_days=values["max_age_days"],
        allow_fixture_database=values["allow_fixture_database"],
        allow_unknown_age=values["allow_unknown_age"],
        end_of_support=EndOfSupport(values["end_of_support"]),
        on_inconclusive=OnInconclusive(values["on_inconclusive"]),
        limits=limits_of(values, default_s),
    )


def _waiver(values: Mapping[str, Any]) -> Waiver:
    return Waiver(id=values["id"], owner=values["owner"], reason=values["reason"], expires=dt.date.fromisoformat(values["expires"]))


def _problems(project: Project) -> Iterator[str]:
    spec = scan_of(project)
    if spec is None:
        return
    if spec.sources and SOURCES in images_of(project):
        yield (
            f"images.{SOURCES}: the scan of this image and the scan of the project's files would both be called {NAME}.{SOURCES}; "
            f"rename the image, or set {NAME}.sources = false"
        )
    for rule, count in Counter(waiver.id for waiver in spec.waivers).items():
        if count > 1:
            yield f"scan.waivers: {rule} is waived {count} times; keep one"


SECTION = Section(
    key="scan",
    kind=NAME,
    description="Vulnerability scans: step scan.NAME for every image.",
    table=_table,
    convert=_scan,
    problems=_problems,
    local_only={"allow_fixture_database": "allow a made-up database"},  # such a database proves only that scanning works
    later=frozenset({"baseline"}),
)
