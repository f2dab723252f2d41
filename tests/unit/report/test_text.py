from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.foundation.text import plain
from pipelines.model import Result, Run, Status
from pipelines.report.text import remark


@pytest.mark.parametrize(
    ("raw", "clean"),
    [
        ("\x1b[1;31mred\x1b[0m", "red"),
        ("\x1b]8;;http://x\x1b\\link\x1b]8;;\x07", "link"),
        ("\x1b]0;never ended\nnext", "\nnext"),
        ("10%\r20%\r\ndone", "10%\n20%\ndone"),
        ("a\tb\x00\x07\x9b", "a\tb"),
        ("\x1b7\x1b(Bx\x1b", "x"),
    ],
)
def test_plain(raw: str, clean: str) -> None:
    assert plain(raw) == clean


@given(st.text(alphabet=st.sampled_from("\x1b[]();0m7\\\x07\n\rab\x9b")))
def test_plain_leaves_nothing_that_steers_a_terminal(raw: str) -> None:
    assert not set(plain(raw)) & set("\x1b\x07\x9b\r")


def test_a_remark_is_short(mixed_run: Run) -> None:
    remarks = {result.id: remark(result) for result in mixed_run.results}
    assert remarks["test.unit"] == "1 of 3 tests failed; 3 tests"
    assert remarks["scan.shop"] == "database of fixtures"
    facts: dict[str, str | int | float | bool] = {"p95_ms": 19.3, "requests": 604, "rps": 60, "error_rate": 0.0, "max_ms": 2}
    step = Result(id="perf.x", kind="perf", name="x", status=Status.PASSED, facts=facts)
    assert remark(step) == "p95_ms 19.3, requests 604, rps 60, error_rate 0.0"
