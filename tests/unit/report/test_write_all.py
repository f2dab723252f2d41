from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

import pytest

from pipelines.model import Finding, Location, Result, Severity, Status
from pipelines.report import FORMATS, ReportFormat, write_all

if TYPE_CHECKING:
    from pathlib import Path

    from pipelines.model import Run


def test_every_format_becomes_a_file(tmp_path: Path, mixed_run: Run) -> None:
    paths = write_all(mixed_run, tmp_path / "reports")
    assert [path.name for path in paths] == ["junit.xml", "summary.md", "run.json"]
    assert sorted(path.name for path in (tmp_path / "reports").iterdir()) == sorted(path.name for path in paths)


@pytest.mark.parametrize("report", FORMATS, ids=lambda report: report.name)
def test_a_format_ends_in_a_newline_and_names_every_step(report: ReportFormat, mixed_run: Run) -> None:
    text = report.render(mixed_run)
    assert text.endswith("\n")
    assert all(result.id in text for result in mixed_run.results)


def test_a_name_that_is_not_utf_8_is_in_every_report(tmp_path: Path, mixed_run: Run) -> None:
    name = "a\udcff"
    finding = Finding(rule=name, severity=Severity.HIGH, message=name, location=Location(path=name))
    step = Result(
        id="test.x", kind="test", name="x", status=Status.FAILED, reason=name, findings=(finding,), tail=(name,), facts={"k": name}
    )
    write_all(replace(mixed_run, results=(step,), error=name), tmp_path)
    assert r"a\udcff" in (tmp_path / "summary.md").read_text(encoding="utf-8")
    assert json.loads((tmp_path / "run.json").read_text(encoding="utf-8"))["steps"][0]["reason"] == name
    assert ET.parse(tmp_path / "junit.xml").getroot().tag == "testsuites"


def test_a_report_that_cannot_be_written_leaves_the_old_one(tmp_path: Path, mixed_run: Run) -> None:
    write_all(mixed_run, tmp_path)
    before = (tmp_path / "run.json").read_text()
    blocked = tmp_path / "junit.xml"
    blocked.unlink()
    blocked.mkdir()
    with pytest.raises(IsADirectoryError):
        write_all(mixed_run, tmp_path)
    assert (tmp_path / "run.json").read_text() == before
    assert sorted(path.name for path in tmp_path.iterdir()) == ["junit.xml", "run.json", "summary.md"]
