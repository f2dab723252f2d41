from __future__ import annotations

from typing import cast

import dagger
import pytest

from pipelines.engine.codes import Code
from pipelines.steps.common.command import Outcome, stop_at, tail
from pipelines.steps.test.reports import is_pattern, read_reports, split_pattern
from tests.unit.steps.test_dagger_errors import refused


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


class NoFile:
    """Stands for a file, a folder and a container of an engine that refuses every query about them."""

    def __init__(self, error: dagger.QueryError) -> None:
        self._error = error

    def file(self, _path: str) -> NoFile:
        return self

    def directory(self, _path: str) -> NoFile:
        return self

    async def glob(self, _pattern: str) -> list[str]:
        raise self._error

    async def contents(self) -> str:
        raise self._error


def outcome(message: str, code: Code | None) -> Outcome:
    error = refused(message, **({"code": code.value} if code is not None else {}))
    return Outcome(container=cast("dagger.Container", NoFile(error)), exit_code=0, last_line="")


@pytest.mark.parametrize("report", ["/r/junit.xml", "/r/", "/r/*.xml"])
@pytest.mark.parametrize(
    ("message", "code"),
    [("in other words", Code.NOT_FOUND), ("lstat /r/junit.xml: no such file or directory", None)],
    ids=["ours", "foreign"],
)
async def test_a_report_that_is_not_there_is_none(report: str, message: str, code: Code | None) -> None:
    assert await read_reports(outcome(message, code), report) == []


@pytest.mark.parametrize("report", ["/r/junit.xml", "/r/"])
async def test_what_an_engine_says_of_another_file_is_not_about_the_report(report: str) -> None:
    with pytest.raises(dagger.QueryError):
        await read_reports(outcome("the disk is full; a log said: no such file or directory", Code.DISK_FULL), report)
