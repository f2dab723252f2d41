from __future__ import annotations

import dataclasses
import datetime as dt

import pytest

from pipelines.flow.outcome import of_value
from pipelines.model import Check, OnInconclusive, Verdict
from pipelines.steps.common.service_spec import ServiceSpec
from pipelines.steps.perf.judge import dated, judge_perf
from pipelines.steps.perf.k6 import Summary
from pipelines.steps.perf.spec import PerfSpec, Thresholds

SPEC = PerfSpec(
    name="checkout",
    script="perf/checkout.js",
    service=ServiceSpec(image="shop", port=8000),
    thresholds=Thresholds(p95_ms=200, error_rate=0.01, min_rps=10),
)
GOOD = Summary(requests=200, rps=20.0, p95_ms=150.0, median_ms=90.0, max_ms=400.0, error_rate=0.005)
ERROR = 'level=error msg="TypeError: x\\n\\tat default (file:///perf/checkout.js:2)\\n" source=stacktrace'


def judge(summary: Summary | None, *, exit_code: int = 0, log: str = "", spec: PerfSpec = SPEC) -> Check:
    return judge_perf(spec, exit_code=exit_code, summary=summary, log=log)


def test_within_every_limit() -> None:
    check = judge(GOOD)
    assert (check.verdict, check.reason, check.findings) == (Verdict.PASS, None, ())
    assert check.facts == {"requests": 200, "p95_ms": 150.0, "median_ms": 90.0, "max_ms": 400.0, "rps": 20.0, "error_rate": 0.005}


@pytest.mark.parametrize(
    ("change", "rule", "says"),
    [
        ({"p95_ms": 200.1}, "p95_ms", "p95 200.1 ms is above 200 ms"),
        ({"error_rate": 0.0101}, "error_rate", "1.01% of requests failed, more than 1.00%"),
        ({"rps": 9.96}, "min_rps", "10.0 requests/s are fewer than 10"),
        ({"crossed": ("checks: rate>0.9",)}, "checks: rate>0.9", "the script's threshold checks: rate>0.9 was crossed"),
    ],
)
def test_a_crossed_limit_fails(change: dict[str, object], rule: str, says: str) -> None:
    check = judge(dataclasses.replace(GOOD, **change))  # type: ignore[arg-type]  # one field each, of its own type
    assert (check.verdict, check.reason) == (Verdict.FAIL, says)
    assert [finding.rule for finding in check.findings] == [rule]


def test_a_limit_met_exactly_is_met() -> None:
    assert judge(dataclasses.replace(GOOD, p95_ms=200.0, error_rate=0.01, rps=10.0)).verdict is Verdict.PASS


def test_the_scripts_own_thresholds_count() -> None:
    assert judge(GOOD, exit_code=99).reason == "a threshold of the script was crossed"
    assert judge(GOOD, exit_code=99).verdict is Verdict.FAIL


def test_an_error_of_the_script_spoils_the_numbers() -> None:
    check = judge(GOOD, log=ERROR)
    assert (check.verdict, check.reason) == (
        Verdict.FAIL,
        "perf/checkout.js failed: TypeError: x at default (file:///perf/checkout.js:2)",
    )


def test_a_script_that_does_not_start() -> None:
    check = judge(None, exit_code=107)
    assert (check.verdict, check.reason) == (Verdict.FAIL, "perf/checkout.js failed: k6 exited with code 107")


@pytest.mark.parametrize(
    ("summary", "says"),
    [
        (None, "k6 did not write a summary"),
        (Summary(), "perf/checkout.js made no request, so nothing was measured"),
        (Summary(requests=5, rps=20.0), "k6 has no measurements for p95_ms, error_rate"),
    ],
)
def test_no_numbers_are_no_pass(summary: Summary | None, says: str) -> None:
    check = judge(summary)
    assert (check.verdict, check.reason, check.warn) == (Verdict.NO_DATA, says, False)
    warned = judge(summary, spec=dataclasses.replace(SPEC, on_inconclusive=OnInconclusive.WARN))
    assert warned.warn


def test_without_limits_requests_are_enough() -> None:
    assert judge(Summary(requests=1), spec=dataclasses.replace(SPEC, thresholds=Thresholds())).verdict is Verdict.PASS


def test_the_time_of_the_measurement_is_told() -> None:
    at = dt.datetime(2026, 6, 1, 16, tzinfo=dt.UTC)
    check = judge_perf(SPEC, exit_code=0, summary=GOOD, log="", measured_at=at)
    assert check.facts["measured_at"] == "2026-06-01T16:00:00+00:00"


def test_a_measurement_out_of_a_cache_says_when_it_was_made_and_keeps_its_warning() -> None:
    made = dt.datetime(2026, 1, 31, 12, tzinfo=dt.UTC)
    passed = judge_perf(SPEC, exit_code=0, summary=GOOD, log="", measured_at=made)
    at = f"measured at {passed.facts['measured_at']}"
    assert dated(passed).reason == at
    lenient = dataclasses.replace(SPEC, on_inconclusive=OnInconclusive.WARN)
    nothing = judge_perf(lenient, exit_code=0, summary=None, log="", measured_at=made)
    assert nothing.reason is not None
    assert of_value(dated(dataclasses.replace(nothing, facts=passed.facts))).warning == f"no-data: {nothing.reason} ({at})"


@pytest.mark.parametrize("reason", [None, "k6 says so"])
def test_a_measurement_that_says_when_it_was_made_says_it_once(reason: str | None) -> None:
    made = dt.datetime(2026, 1, 31, 12, tzinfo=dt.UTC)
    check = dated(dataclasses.replace(judge_perf(SPEC, exit_code=0, summary=GOOD, log="", measured_at=made), reason=reason))
    assert dated(check) is check
    assert str(check.reason).count("measured at 2026-01-31T12:00:00+00:00") == 1
