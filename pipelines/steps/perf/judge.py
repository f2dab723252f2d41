"""What a measurement means: pure, from k6's summary, log and exit code to a `Check`."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from pipelines.model import Check, Finding, Location, OnInconclusive, Severity, Verdict
from pipelines.steps.perf import k6

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Iterator

    from pipelines.steps.perf.spec import PerfSpec

_SHOWN = 3


def judge_perf(
    spec: PerfSpec,
    *,
    exit_code: int,
    summary: k6.Summary | None,
    log: str,
    measured_at: dt.datetime | None = None,
    artifacts: tuple[str, ...] = (),
) -> Check:
    """The verdict of a measurement.

    An error of the script fails it: the numbers of an unfinished script do not count. A crossed threshold, of the configuration or of the
    script itself, fails it. No request, or a threshold without its number, is no-data.
    """
    problems, slow = k6.errors(log), tuple(_breaches(spec, summary)) if summary else ()
    missing = _missing(spec, summary)
    if problems or exit_code not in {0, k6.THRESHOLDS_CROSSED}:
        verdict, reason = Verdict.FAIL, _script(spec, problems, exit_code)
    elif slow:
        verdict, reason = Verdict.FAIL, "; ".join(finding.message for finding in slow[:_SHOWN])
    elif exit_code == k6.THRESHOLDS_CROSSED:
        verdict, reason = Verdict.FAIL, "a threshold of the script was crossed"
    elif missing:
        verdict, reason = Verdict.NO_DATA, missing
    else:
        verdict, reason = Verdict.PASS, None
    return Check(
        verdict=verdict,
        reason=reason,
        findings=slow,
        artifacts=artifacts,
        facts=_facts(summary, measured_at),
        warn=verdict is Verdict.NO_DATA and spec.on_inconclusive is OnInconclusive.WARN,
    )


def dated(check: Check) -> Check:
    """The verdict of a measurement out of a cache, which says when it was made, beside whatever else its reason says."""
    made = f"measured at {check.facts.get('measured_at')}"
    if check.reason is not None and check.reason.endswith((made, f"({made})")):
        return check  # it came out of a cache before
    return replace(check, reason=f"{check.reason} ({made})" if check.reason else made)


def _breaches(spec: PerfSpec, summary: k6.Summary) -> Iterator[Finding]:
    limits = spec.thresholds
    if limits.p95_ms is not None and summary.p95_ms is not None and summary.p95_ms > limits.p95_ms:
        yield _finding(spec, "p95_ms", f"p95 {summary.p95_ms:.1f} ms is above {limits.p95_ms:g} ms")
    if limits.error_rate is not None and summary.error_rate is not None and summary.error_rate > limits.error_rate:
        yield _finding(spec, "error_rate", f"{summary.error_rate:.2%} of requests failed, more than {limits.error_rate:.2%}")
    if limits.min_rps is not None and summary.rps is not None and summary.rps < limits.min_rps:
        yield _finding(spec, "min_rps", f"{summary.rps:.1f} requests/s are fewer than {limits.min_rps:g}")
    for crossed in summary.crossed:
        yield _finding(spec, crossed, f"the script's threshold {crossed} was crossed")


def _finding(spec: PerfSpec, rule: str, message: str) -> Finding:
    return Finding(rule=rule, severity=Severity.HIGH, message=message, location=Location(path=spec.script, target=spec.service.image))


def _missing(spec: PerfSpec, summary: k6.Summary | None) -> str | None:
    if summary is None:
        return "k6 did not write a summary"
    if summary.requests == 0:
        return f"{spec.script} made no request, so nothing was measured"
    limits = spec.thresholds
    wanted = (
        ("p95_ms", limits.p95_ms, summary.p95_ms),
        ("error_rate", limits.error_rate, summary.error_rate),
        ("min_rps", limits.min_rps, summary.rps),
    )
    absent = [name for name, limit, value in wanted if limit is not None and value is None]
    return f"k6 has no measurements for {', '.join(absent)}" if absent else None


def _script(spec: PerfSpec, problems: tuple[str, ...], exit_code: int) -> str:
    more = f" (and {len(problems) - 1} more)" if len(problems) > 1 else ""
    why = f"{problems[0]}{more}" if problems else f"k6 exited with code {exit_code}"
    return f"{spec.script} failed: {why}"


def _facts(summary: k6.Summary | None, measured_at: dt.datetime | None) -> dict[str, str | int | float | bool]:
    if summary is None:
        return {}
    rounded = {"p95_ms": (summary.p95_ms, 2), "median_ms": (summary.median_ms, 2), "max_ms": (summary.max_ms, 2), "rps": (summary.rps, 1)}
    facts: dict[str, str | int | float | bool] = {"requests": summary.requests}
    facts |= {name: round(value, digits) for name, (value, digits) in rounded.items() if value is not None}
    facts |= {"error_rate": round(summary.error_rate, 5)} if summary.error_rate is not None else {}
    facts |= {"checks_failed": summary.checks_failed} if summary.checks_failed else {}
    return facts | ({"measured_at": measured_at.isoformat()} if measured_at is not None else {})
