from __future__ import annotations

import datetime as dt
from typing import Any, cast

import pytest

from pipelines.model import BuiltImage, Case, EngineInfo, Finding, ImageContainers, Location, Result, Run, Severity, Status, Verdict, Waiver


def failed_test() -> Result:
    """With cases of every status, a finding and the end of its output."""
    return Result(
        id="test.unit",
        kind="test",
        name="unit",
        status=Status.FAILED,
        verdict=Verdict.FAIL,
        reason="1 of 3 tests failed",
        duration_s=6.1,
        needs=("image.shop",),
        cases=(
            Case(name="test_total", suite="tests.unit", status="failed", duration_s=0.5, message="assert 1 == 2", path="t.py", line=3),
            Case(name="test_tax", suite="tests.unit", status="passed", duration_s=0.25),
            Case(name="test_later", suite="tests.unit", status="skipped", message="not yet"),
        ),
        findings=(
            Finding(rule="tests.unit::test_total", severity=Severity.HIGH, message="assert 1 == 2", location=Location(path="t.py", line=3)),
        ),
        artifacts=("/p/.lockgate/runs/r1/test.unit/junit.xml",),
        log="/p/.lockgate/runs/r1/logs/test.unit.log",
        tail=("collected 3 items", "E   assert 1 == 2"),
    )


def scan_without_data(waiver: Waiver) -> Result:
    """With a warning, a finding that is waived and one that is not."""
    return Result(
        id="scan.shop",
        kind="scan",
        name="shop",
        status=Status.PASSED,
        verdict=Verdict.NO_DATA,
        warning="database of fixtures",
        needs=("image.shop",),
        facts={"database": "fixtures"},
        findings=(
            Finding(
                rule="CVE-2026-0002",
                severity=Severity.CRITICAL,
                message="overflow",
                location=Location(target="bash"),
                waiver=waiver,
                waived=True,
            ),
            Finding(rule="CVE-2026-0003", severity=Severity.LOW, message="leak", remedy="update bash to 5.3"),
        ),
    )


@pytest.fixture
def mixed_run() -> Run:
    """A run with a result of every kind a report has to tell apart."""
    waiver = Waiver(id="CVE-2026-0002", owner="team-shop", reason="not reachable", expires=dt.date(2027, 1, 31))
    containers = ImageContainers(container=cast("Any", object()))
    recipe = BuiltImage(name="shop", containers=lambda: containers, platforms=("linux/amd64",), base="python", origin="built")
    results = (
        Result(id="image.shop", kind="image", name="shop", status=Status.PASSED, value=recipe, duration_s=12.25, cached=True),
        failed_test(),
        scan_without_data(waiver),
        Result(id="perf.checkout", kind="perf", name="checkout", status=Status.ERROR, error_kind="unavailable", reason="registry is away"),
        Result(id="publish.shop", kind="publish", name="shop", status=Status.BLOCKED, reason="test.unit failed", needs=("test.unit",)),
    )
    return Run(
        id="20261123-153000-ab12",
        project="shop",
        revision="0123456789abcdef",
        version="1.4.0",
        started="2026-11-23T15:30:00Z",
        duration_s=41.23456,
        engine=EngineInfo(kind="embedded", reason="no Dagger found", version="0.21.11", sdk="0.21.11"),
        exit_code=1,
        results=results,
        folder="/p/.lockgate/runs/r1",
    )
