from __future__ import annotations

import pytest

from pipelines.errors import (
    ConfigError,
    EngineUnavailable,
    InternalError,
    LockgateError,
    StepFailed,
    StepTimeout,
    Unavailable,
    UsageError,
)
from pipelines.flow.outcome import ended_by, error_exit_code, exit_code, ignored_limit, of_error, of_value, timed_out, worst
from pipelines.model import Check, Finding, Result, Severity, Status, StepLimits, Verdict

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
    assert outcome.fields()["value"] is value


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


def test_a_verdict_without_a_reason_is_a_warning_by_its_name() -> None:
    assert of_value(Check(verdict=Verdict.NO_DATA, warn=True)).warning == "no-data"


class Odd:
    def __repr__(self) -> str:
        raise ValueError


@pytest.mark.parametrize(
    ("error", "own", "status", "kind", "reason"),
    [
        (EngineUnavailable("away", cause="no route"), False, "error", "unavailable", "away (no route)"),
        (StepFailed("broken"), False, "failed", None, "broken"),
        (ConfigError("wrong", problems=("a", "b")), False, "failed", None, "wrong; a; b"),
        (InternalError("odd"), False, "error", "internal", "odd"),
        (InternalError("odd"), True, "failed", None, "odd"),
        (SystemExit(3), False, "failed", None, "the step called sys.exit(3)"),
        (SystemExit(Odd()), False, "failed", None, "the step called sys.exit(…)"),
        (ValueError("bad"), True, "failed", None, "ValueError: bad"),
        (ValueError("bad"), False, "error", "internal", "ValueError: bad"),
    ],
)
def test_the_table_of_errors(error: BaseException, own: bool, status: str, kind: str | None, reason: str) -> None:
    outcome = of_error(error, own=own)
    assert (str(outcome.status), outcome.error_kind, outcome.reason) == (status, kind, reason)


def test_of_a_group_the_worst_decides() -> None:
    away, broken, defect = EngineUnavailable("away"), StepFailed("broken"), ValueError("defect")
    assert worst(away) is away
    assert worst(BaseExceptionGroup("", [away, BaseExceptionGroup("", [broken])])) is broken
    assert worst(BaseExceptionGroup("", [away, broken, defect])) is defect


@pytest.mark.parametrize(
    ("limit", "last", "says"), [(90.0, None, "its limit of 1m30s"), (60.0, "2 tries", "its limit of 1m (last: 2 tries)")]
)
def test_a_step_out_of_time_says_its_limit_and_what_it_did_last(limit: float, last: str | None, says: str) -> None:
    error = timed_out(StepLimits(timeout_s=limit), last)
    assert isinstance(error, StepTimeout)
    assert error.message == f"stopped after {says}"


@pytest.mark.parametrize(("last", "used"), [(None, ""), ("2 tries", " (last: 2 tries)")])
def test_a_step_that_ignores_its_limit_says_how_long_the_run_waited_for_it(last: str | None, used: str) -> None:
    error = ignored_limit(StepLimits(timeout_s=60.0), 15.0, last)
    assert isinstance(error, StepTimeout)
    assert error.message == f"it did not end within 15s after its limit of 1m: the run went on without it{used}"


GONE, OTHER = OSError(28, "No space left on device", "/x"), OSError(71, "Protocol error")


@pytest.mark.parametrize(
    ("error", "code", "kind"),
    [
        (UsageError("no"), 2, UsageError),
        (BaseExceptionGroup("", [UsageError("no")]), 2, UsageError),
        (BaseExceptionGroup("", [UsageError("no"), ValueError("x")]), 70, BaseExceptionGroup),
        (GONE, 4, Unavailable),
        (PermissionError(13, "Permission denied"), 4, Unavailable),
        (OTHER, 70, OSError),
        (ValueError("x"), 70, ValueError),
        (KeyboardInterrupt(), 130, KeyboardInterrupt),
        (SystemExit(5), 5, SystemExit),
        (SystemExit("words"), 1, SystemExit),
    ],
)
def test_what_ends_a_run_and_its_exit_code(error: BaseException, code: int, kind: type[BaseException]) -> None:
    ours = ended_by(error)
    assert isinstance(ours, kind)
    assert error_exit_code(ours) == code


def test_a_file_that_is_closed_to_us_is_named() -> None:
    for error, named in ((PermissionError(1, "Not permitted", "/x"), "/x"), (PermissionError(1, "Not permitted"), "a file")):
        ours = ended_by(error)
        assert isinstance(ours, LockgateError)
        assert ours.message == f"{named}: Not permitted"
