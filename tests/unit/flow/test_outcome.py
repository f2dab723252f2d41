from __future__ import annotations

import pytest

from pipelines.flow.outcome import exit_code, of_value
from pipelines.model import Check, Finding, Result, Severity, Status, Verdict

FINDING = Finding(rule="r", severity=Severity.HIGH, message="m")


@pytest.mark.parametrize(
    ("verdict", "warn", "status", "kind", "warning"),
    [
        (Verdict.PASS, False, "passed", None, None),
        (Verdict.FAIL, False, "failed", None, None),
        (Verdict.FAIL, True, "failed", None, None),
        (Verdict.INCONCLUSIVE, False, "failed", None, None),
        (Verdict.INCONCLUSIVE, True, "passed", None, "inconclusive: why"),
        (Verdict.NO_DATA, False, "failed", None, None),
        (Verdict.NO_DATA, True, "passed", None, "no-data: why"),
        (Verdict.ERROR, False, "error", "unavailable", None),
        (Verdict.ERROR, True, "error", "unavailable", None),
    ],
)
def test_the_table_of_verdicts(verdict: Verdict, warn: bool, status: str, kind: str | None, warning: str | None) -> None:
    outcome = of_value(Check(verdict=verdict, warn=warn, reason="why", findings=(FINDING,), facts={"p95_ms": 3.5}))
    assert (str(outcome.status), outcome.error_kind, outcome.warning) == (status, kind, warning)
    assert (outcome.verdict, outcome.reason, outcome.findings, outcome.facts) == (verdict, "why", (FINDING,), {"p95_ms": 3.5})


@pytest.mark.parametrize("value", [None, 3, ("a",)])
def test_any_other_value_is_a_pass(value: object) -> None:
    outcome = of_value(value)
    assert (outcome.status, outcome.verdict, outcome.value) == (Status.PASSED, Verdict.PASS, value)


def ends(*ends: tuple[str, str | None]) -> list[Result]:
    return [Result(id="a.b", kind="a", name="b", status=Status(status), error_kind=kind) for status, kind in ends]


PASSED, FAILED, CANCELLED, BLOCKED = ("passed", None), ("failed", None), ("cancelled", None), ("blocked", None)
AWAY, DEFECT = ("error", "unavailable"), ("error", "internal")


@pytest.mark.parametrize(
    ("results", "signal", "code"),
    [
        (ends(), None, 0),
        (ends(PASSED, ("skipped", None)), None, 0),
        (ends(PASSED, FAILED, BLOCKED), None, 1),
        (ends(AWAY, BLOCKED), None, 4),
        (ends(AWAY, FAILED), None, 1),
        (ends(FAILED, DEFECT, AWAY), None, 70),
        (ends(FAILED, DEFECT, CANCELLED), 15, 143),
        (ends(PASSED), 2, 130),
    ],
)
def test_the_worst_end_decides_and_a_signal_before_all(results: list[Result], signal: int | None, code: int) -> None:
    assert exit_code(results, signal) == code
