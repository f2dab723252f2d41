"""Short texts shared by reports for people and by the command line."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipelines.foundation.text import one_line
from pipelines.model import Status

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pipelines.model import Finding, Location, Result

_MOST_NUMBERS = 4
_ORDER = (Status.FAILED, Status.ERROR, Status.CANCELLED, Status.BLOCKED, Status.PASSED, Status.SKIPPED)


def plural(count: int, noun: str) -> str:
    """`1 step`, `2 steps`."""
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"


def counts(results: Iterable[Result]) -> str:
    """`1 failed, 3 passed (1 cached), 1 blocked`: every status that occurs, bad ones first."""
    found = list(results)
    parts = []
    for status in _ORDER:
        of_status = [result for result in found if result.status is status]
        if not of_status:
            continue
        cached = sum(result.cached for result in of_status)
        name = "errors" if status is Status.ERROR and len(of_status) > 1 else status.value
        parts.append(f"{len(of_status)} {name}" + (f" ({cached} cached)" if cached else ""))
    return ", ".join(parts) or "nothing ran"


def place(location: Location) -> str:
    """Where a finding sits: `app/main.py:12`, `libssl3`, or nothing."""
    if location.path is None:
        return location.target or ""
    path = location.path if location.line is None else f"{location.path}:{location.line}"
    return f"{path} ({location.target})" if location.target else path


def finding_line(finding: Finding) -> str:
    """Severity, rule, place and message; behind them its waiver with owner, day and reason, else what helps against it."""
    where = place(finding.location)
    parts = [f"{finding.severity.value}: {finding.rule}", f" [{where}]" if where else "", f": {finding.message}"]
    if finding.waiver is not None:
        state = "waived" if finding.waived else "waiver expired"
        parts.append(f" ({state}: {finding.waiver.owner}, until {finding.waiver.expires.isoformat()}: {finding.waiver.reason})")
    elif finding.remedy:
        parts.append(f" ({finding.remedy})")
    return "".join(parts)


def has_worked(result: Result) -> bool:
    """Whether the step did anything, so that its time means something."""
    return result.duration_s > 0 and result.status not in {Status.BLOCKED, Status.SKIPPED}


def outcome(result: Result) -> str:
    """Status in a word or two: `passed (cached)`, `passed (unchanged since RUN)`, `failed (inconclusive)`, `error (unavailable)`."""
    word = result.status.value
    if result.status is Status.PASSED:
        cached = "cached" if result.unchanged_since is None else f"unchanged since {result.unchanged_since}"
        extra = [name for name, on in ((cached, result.cached), ("warning", result.warning is not None)) if on]
        return f"{word} ({', '.join(extra)})" if extra else word
    if result.status is Status.ERROR and result.error_kind:
        return f"{word} ({result.error_kind})"
    if result.status is Status.FAILED and result.verdict is not None and result.verdict.value != "fail":
        return f"{word} ({result.verdict.value})"
    return word


def remark(result: Result) -> str:
    """What there is to say in one line about how a step ended: reason or warning, then how many tests it ran, or its first numbers."""
    numbers = [f"{name} {value}" for name, value in (result.facts or {}).items() if not isinstance(value, (str, bool))]
    tests = [plural(len(result.cases), "test")] if result.cases else []
    said = one_line(result.reason or result.warning or "")
    return "; ".join(part for part in (said, ", ".join(tests or numbers[:_MOST_NUMBERS])) if part)
