from __future__ import annotations

import pytest

from pipelines.steps.command import tail, time_left
from pipelines.steps.reports import is_pattern, split_pattern


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


def test_a_command_gets_less_than_its_step_has_left() -> None:
    import time

    assert time_left(time.monotonic(), None) is None
    left = time_left(time.monotonic() - 40, 100)
    assert left is not None
    assert 53 < left < 55
    assert time_left(time.monotonic() - 200, 100) == 1.0
