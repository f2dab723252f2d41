"""How old the vulnerability database is, as far as it can be known without pulling a hundred megabytes."""

from __future__ import annotations

import datetime as dt
import json
from typing import TYPE_CHECKING

from pipelines.foundation.clock import utc_now
from pipelines.foundation.files import OWN_FOLDER
from pipelines.foundation.regular_files import read_text
from pipelines.report.record import RunRecord
from pipelines.steps.interface import CheckResult, CheckState
from pipelines.steps.scan.spec import scan_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from pipelines.model import Project
    from pipelines.registry import ManifestSummary


def database_age(project: Project, found: Mapping[str, ManifestSummary | None]) -> Iterator[CheckResult]:
    """Whether the database is new enough to be evidence; nothing where no database is configured."""
    spec = scan_of(project)
    if spec is None or spec.database is None:
        return
    name, title, fix = spec.database, "database", f"lockgate images use {spec.database} REFERENCE"
    locked, summary = project.locked.get(name), found.get(name)
    if locked is not None and locked.fixture:
        counts = "count here" if spec.allow_fixture_database else "report no data"
        yield CheckResult(title, CheckState.WARNING, f"made up, it finds no real vulnerabilities: scans with it {counts}", fix)
        return
    reference = locked.reference if locked is not None else name
    digest = summary.digest if summary is not None else reference.partition("@")[2]
    made = (summary.created if summary is not None else None) or _seen(project, digest)
    if made is None:
        yield CheckResult(title, CheckState.OK, "its age is known after the first scan")
        return
    days = max(0, (utc_now() - made).days)
    if days > spec.max_age_days:
        yield CheckResult(
            title, CheckState.WARNING, f"{days} days old, more than {spec.max_age_days} (scan.max_age_days): scans report no data", fix
        )
    else:
        yield CheckResult(title, CheckState.OK, f"{days} days old")


def _seen(project: Project, digest: str) -> dt.datetime | None:
    """When the database was made, as the latest run saw it."""
    try:
        record = RunRecord.from_json(json.loads(read_text(project.root / OWN_FOLDER / "reports/run.json")))
        facts = [step.facts for step in record.steps]
        told = next(fact["database_updated"] for fact in facts if fact.get("database_digest") == digest and "database_updated" in fact)
        made = dt.datetime.fromisoformat(str(told))
    except (OSError, ValueError, RecursionError, StopIteration):
        return None
    return made if made.tzinfo else made.replace(tzinfo=dt.UTC)
