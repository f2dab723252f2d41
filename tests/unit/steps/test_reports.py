from __future__ import annotations

import pytest

from pipelines.steps.common.command import stop_at, tail
from pipelines.steps.test.reports import is_pattern, split_pattern


@pytest.mark.parametrize(
    ("report", "expected"),
    [
        ("target/surefire-reports/*.xml", ("target/surefire-reports", "*.xml")),
        ("/reports/**/TEST-*.xml", ("/reports", "**/TEST-*.xml")),
        ("*.xml", (".", "*.xml")),
        ("/*.xml", ("/", "*.xml")),
        ("/reports/junit-*.xml", ("/reports", "junit-*.xml")),
        ("reports/", ("reports/", "**/*.xml")),
    ],
)
def test_folder_and_pattern_of_several_reports(report: str, expected: tuple[str, str]) -> None:
    assert is_pattern(report)
    assert split_pattern(report) == expected


def test_one_report_is_no_pattern() -> None:
    assert not is_pattern("/reports/junit.xml")


@pytest.mark.parametrize(("text", "lines", "last"), [("a\n b \n\n", 1, " b"), ("a\nb\nc", 2, "b\nc"), ("\n \n", 1, ""), ("", 3, "")])
def test_the_last_lines_that_say_something(text: str, lines: int, last: str) -> None:
    assert tail(text, lines) == last


@pytest.mark.parametrize(("timeout_s", "until"), [(None, None), (20, 1018.0), (100, 1090.0), (600, 1590.0)])
def test_a_command_is_stopped_a_little_before_its_step(timeout_s: float | None, until: float | None) -> None:
    assert stop_at(1000.0, timeout_s) == until
