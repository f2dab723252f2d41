"""What a scan means: pure, from findings, waivers and the database to a `Check`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipelines.model import Check, OnInconclusive, Verdict
from pipelines.steps.scan import waivers
from pipelines.steps.scan.database import objection
from pipelines.steps.scan.spec import EndOfSupport
from pipelines.steps.scan.trivy import END_OF_SUPPORT

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Sequence

    from pipelines.model import Finding
    from pipelines.steps.scan.database import Database
    from pipelines.steps.scan.spec import ScanSpec
    from pipelines.steps.scan.trivy import TrivyReport

_SHOWN = 3
NO_DATABASE = "no vulnerability database is configured (scan.database)"


def judge_scan(
    reports: Sequence[TrivyReport],
    spec: ScanSpec,
    database: Database | None,
    now: dt.datetime,
    *,
    image: bool,
    artifacts: tuple[str, ...] = (),
) -> Check:
    """The verdict of a scan.

    It fails on an unwaived finding at or above the threshold, and on a waiver past its day, whether or not it still matches: somebody
    promised to look at it by then. An operating system out of support fails it where `end_of_support` says so. Without such, it has no data
    when the database is not evidence, or when an image holds no package Trivy knows. A pass may carry a reason: a waiver that ends soon, an
    operating system out of support.
    """
    today = now.date()
    findings = waivers.apply((entry for report in reports for entry in report.reported), spec.waivers, today)
    open_findings = [finding for finding in findings if not finding.waived]
    ended = [finding.message for finding in open_findings if finding.rule == END_OF_SUPPORT]
    blocking = [f for f in open_findings if f.rule != END_OF_SUPPORT and f.severity.rank >= spec.fail_on.rank]
    problems = [waivers.told(waiver, "expired") for waiver in waivers.expired(spec.waivers, today)]
    problems += [_blocking(blocking, spec)] if blocking else []
    problems += ended if spec.end_of_support is EndOfSupport.FAIL else []
    doubts = [doubt for doubt in (_doubt(database, spec, now), _nothing_seen(reports) if image else None) if doubt]
    notices = [waivers.told(waiver, "ends") for waiver in waivers.ending(spec.waivers, today)]
    notices += ended if spec.end_of_support is EndOfSupport.WARN else []
    verdict = Verdict.FAIL if problems else Verdict.NO_DATA if doubts else Verdict.PASS
    return Check(
        verdict=verdict,
        reason="; ".join(problems + doubts + notices) or None,
        findings=tuple(sorted(findings, key=lambda finding: (finding.waived, -finding.severity.rank))),
        artifacts=artifacts,
        facts=_facts(reports, findings, database, now),
        warn=verdict is Verdict.NO_DATA and spec.on_inconclusive is OnInconclusive.WARN,
    )


def _doubt(database: Database | None, spec: ScanSpec, now: dt.datetime) -> str | None:
    return NO_DATABASE if database is None else objection(database, spec, now)


def _nothing_seen(reports: Sequence[TrivyReport]) -> str | None:
    return None if all(report.packages for report in reports) and reports else "Trivy did not recognise any package in the image"


def _blocking(findings: Sequence[Finding], spec: ScanSpec) -> str:
    worst = sorted(findings, key=lambda finding: -finding.severity.rank)
    names = [
        f"{finding.rule} ({finding.severity.value}) {finding.location.target or finding.location.path or ''}".rstrip() for finding in worst
    ]
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    noun = "finding" if len(names) == 1 else "findings"
    return f"{len(names)} {noun} at or above {spec.fail_on.value}: {', '.join(names[:_SHOWN])}{more}"


def _facts(
    reports: Sequence[TrivyReport], findings: Sequence[Finding], database: Database | None, now: dt.datetime
) -> dict[str, str | int | float | bool]:
    systems = sorted({report.system for report in reports if report.system})
    return {
        "findings": len(findings),
        "waived": sum(finding.waived for finding in findings),
        "packages": sum(report.packages for report in reports),
        **({"system": ", ".join(systems)} if systems else {}),
        **(database.facts(now) if database is not None else {"database": "none"}),
    }
