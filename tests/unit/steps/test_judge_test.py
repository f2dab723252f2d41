from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from pipelines.model import Verdict
from pipelines.steps.test.judge import judge_test

if TYPE_CHECKING:
    from pipelines.model import Check

REPORT = "/reports/junit.xml"
GOOD = '<testsuite name="s"><testcase name="a"/><testcase name="b"/></testsuite>'
BAD = (
    '<testsuite name="s"><testcase name="a"/>'
    + "".join(f'<testcase name="b{n}"><failure message="m"/></testcase>' for n in range(5))
    + "</testsuite>"
)
EMPTY = '<testsuites><testsuite name="s"/></testsuites>'


def judge(
    exit_code: int = 0,
    report: str | None = REPORT,
    texts: tuple[str, ...] = (),
    last_line: str = "",
    limit_s: float | None = None,
    **marks: str,
) -> Check:
    return judge_test(exit_code=exit_code, marks=marks, last_line=last_line, report=report, texts=texts, limit_s=limit_s)


def said(check: Check) -> tuple[Verdict, str | None]:
    return check.verdict, check.reason


def test_a_pass_has_counts_and_no_reason() -> None:
    check = judge(texts=(GOOD,))
    assert said(check) == (Verdict.PASS, None)
    assert check.facts == {"tests": 2, "failed": 0, "skipped": 0}
    assert len(check.cases) == 2


def test_failures_are_named_and_counted() -> None:
    check = judge(1, texts=(BAD,), last_line="5 failed")
    assert said(check) == (Verdict.FAIL, "5 of 6 tests failed: s::b0, s::b1, s::b2 and 2 more")
    assert len(check.findings) == 5


def test_a_report_with_failures_outweighs_a_command_that_says_all_is_well() -> None:
    assert judge(0, texts=(BAD,)).verdict is Verdict.FAIL


def test_several_reports_count_together() -> None:
    assert judge(texts=(GOOD, GOOD)).facts["tests"] == 4


WITHOUT: list[tuple[dict[str, Any], Verdict, str | None]] = [
    ({"exit_code": 0, "report": None}, Verdict.PASS, None),
    ({"exit_code": 2, "report": None, "last_line": "E: x"}, Verdict.FAIL, "the command exited with code 2 (E: x)"),
    ({"exit_code": 0}, Verdict.NO_DATA, "the command exited with 0, but it did not write a JUnit report at /reports/junit.xml"),
    ({"exit_code": 0, "texts": (EMPTY,)}, Verdict.NO_DATA, "the command exited with 0, but the report /reports/junit.xml has no tests"),
    ({"exit_code": 5, "texts": (EMPTY,)}, Verdict.FAIL, "the command exited with code 5; the report /reports/junit.xml has no tests"),
    ({"exit_code": 4}, Verdict.FAIL, "the command exited with code 4; it did not write a JUnit report at /reports/junit.xml"),
    ({"exit_code": 3, "texts": (GOOD,)}, Verdict.FAIL, "the command exited with code 3; no test in the report failed"),
    ({"exit_code": 127}, Verdict.FAIL, "the command was not found in the image; it did not write a JUnit report at /reports/junit.xml"),
    ({"exit_code": 126, "report": None}, Verdict.FAIL, "the command cannot be executed"),
    (
        {"exit_code": 125, "report": None, "timeout": "30", "last_line": "test_x"},
        Verdict.FAIL,
        "the command was stopped after 30s (test_x)",
    ),
    ({"exit_code": 125, "report": None, "signal": "9"}, Verdict.FAIL, "the command was ended by SIGKILL (out of memory, perhaps)"),
    ({"exit_code": 125, "report": None, "signal": "11"}, Verdict.FAIL, "the command was ended by SIGSEGV"),
    ({"exit_code": 125, "report": None, "signal": "63"}, Verdict.FAIL, "the command was ended by signal 63"),
    ({"exit_code": 121, "unhealthy": "shop 60 HTTP 503"}, Verdict.FAIL, "service shop was not healthy within 60 s: HTTP 503"),
    ({"exit_code": 121, "unhealthy": "shop 60"}, Verdict.FAIL, "service shop was not healthy within 60 s: no answer"),
]


@pytest.mark.parametrize(("given", "verdict", "reason"), WITHOUT)
def test_every_other_end_has_a_clear_reason(given: dict[str, Any], verdict: Verdict, reason: str | None) -> None:
    assert said(judge(**given)) == (verdict, reason)


@pytest.mark.parametrize(("exit_code", "verdict"), [(0, Verdict.NO_DATA), (1, Verdict.FAIL)])
def test_a_broken_report_is_no_evidence(exit_code: int, verdict: Verdict) -> None:
    check = judge(exit_code, texts=("<html/>",))
    assert check.verdict is verdict
    assert check.reason is not None
    assert "is not a JUnit report" in check.reason


@pytest.mark.parametrize(
    ("after", "limit", "words"),
    [
        ("13", 15.0, "the command was stopped after 13s, at the step's limit of 15s, 2s of it kept for results (test_x)"),
        (
            "1",
            15.0,
            (
                "the command was stopped after 1s, at the step's limit of 15s, 2s of it kept for results, "
                "12s passed before the command began (test_x)"
            ),
        ),
        (
            "",
            600.0,
            "the command was stopped, at the step's limit of 10m, 10s of it kept for results (test_x)",
        ),
    ],
)
def test_a_timeout_names_the_limit_and_what_used_it_up(after: str, limit: float, words: str) -> None:
    assert judge(125, report=None, timeout=after, last_line="test_x", limit_s=limit).reason == words


def test_a_timeout_shows_beside_the_failures_seen_before_it() -> None:
    assert (
        judge(125, texts=(BAD,), timeout="9").reason
        == "5 of 6 tests failed: s::b0, s::b1, s::b2 and 2 more; the command was stopped after 9s"
    )
