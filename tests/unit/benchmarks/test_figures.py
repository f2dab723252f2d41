"""A bound is broken only when the interval excludes it, and the process that measures ends with 1 then."""

from __future__ import annotations

import json
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.figures import Row, Sample, report, sample, table
from benchmarks.processes import run

TEN = sample([1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0, 9.0, 10.0])


def test_the_interval_of_ten_is_between_the_second_and_the_last_but_one() -> None:
    assert TEN.median == 5.5
    assert TEN.interval == (2.0, 9.0)


@pytest.mark.parametrize(("size", "expected"), [(1, (0.0, 0.0)), (3, (0.0, 2.0)), (5, (0.0, 4.0)), (9, (1.0, 7.0)), (20, (5.0, 14.0))])
def test_the_interval_of_other_sizes(size: int, expected: tuple[float, float]) -> None:
    assert sample([float(number) for number in range(size)]).interval == expected


@given(st.lists(st.floats(0, 100), min_size=1, max_size=40))
def test_the_median_is_in_its_interval(values: list[float]) -> None:
    low, high = Sample(tuple(values)).interval
    assert min(values) <= low <= Sample(tuple(values)).median <= high <= max(values)


@pytest.mark.parametrize(("bound", "broken", "verdict"), [(6.0, False, "ok"), (3.0, False, "ok (not excluded)"), (1.9, True, "BROKEN")])
def test_a_bound_is_broken_when_the_interval_excludes_it(bound: float, broken: bool, verdict: str) -> None:
    row = Row("a", "s", TEN, bound)
    assert row.is_broken is broken
    assert row.verdict == verdict


def test_a_row_without_a_bound_is_never_broken() -> None:
    assert not Row("a", "s", TEN).is_broken


def test_the_report_ends_with_1_when_one_bound_is_broken(capsys: pytest.CaptureFixture[str]) -> None:
    kept, broken = Row("kept", "s", TEN, 20), Row("broken", "s", TEN, 1)
    assert report([kept]) == 0
    assert report([kept, broken]) == 1
    capsys.readouterr()
    assert report([kept, broken], as_document=True) == 1
    assert [row["broken"] for row in json.loads(capsys.readouterr().out)] == [False, True]


def test_a_peer_has_a_column_only_where_it_was_measured() -> None:
    rows = [Row("a", "s", TEN, peers={"buildah": sample([3.0])}), Row("b", "s", TEN)]
    assert table(rows).splitlines() == [
        "| | unit | lockgate | buildah | bound | |",
        "|---|---|---|---|---|---|",
        "| a | s | 5.5 (2 to 9) | 3 |  |  |",
        "| b | s | 5.5 (2 to 9) |  |  |  |",
    ]


def test_nothing_measured_is_an_error() -> None:
    with pytest.raises(ValueError, match="nothing was measured"):
        sample([])


SPEND = "import time\nend = time.process_time() + 0.3\nwhile time.process_time() < end: pass\n"
BELOW = f"import subprocess, sys\nsubprocess.run([sys.executable, '-c', {SPEND!r}])\nprint('done')"


def test_the_cost_of_a_command_has_its_descendants() -> None:
    cost = run([sys.executable, "-c", BELOW])
    assert cost.cpu_s >= 0.3
    assert cost.memory_mb > 1
    assert cost.output == "done\n"


def test_a_command_that_fails_ends_the_benchmark_with_its_messages() -> None:
    with pytest.raises(SystemExit, match=r"ended with 3:\n.*no luck"):
        run([sys.executable, "-c", "import sys; print('no luck', file=sys.stderr); sys.exit(3)"])
