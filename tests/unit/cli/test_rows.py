from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from pipelines.cli.progress.rows import Phase, Row, arrange
from pipelines.model import Result, Status


def row(name: str, phase: Phase, status: Status = Status.PASSED) -> Row:
    result = Result(id=name, kind="k", name=name, status=status) if phase is Phase.ENDED else None
    return Row(id=name, phase=phase, result=result)


def test_where_all_fit_the_running_ones_share_what_is_left() -> None:
    rows = [row("a", Phase.RUNNING), row("b", Phase.RUNNING), row("c", Phase.WAITING)]
    frame = arrange(rows, 10, most_tail=6)
    assert (frame.rows, frame.tail, frame.hidden) == (tuple(rows), 3, "")
    assert arrange(rows, 30, most_tail=6).tail == 6
    assert arrange(rows, 3, most_tail=6).tail == 0


def test_a_low_terminal_keeps_what_matters_in_the_order_of_the_plan() -> None:
    rows = [
        row("passed", Phase.ENDED),
        row("failed", Phase.ENDED, Status.FAILED),
        row("waiting", Phase.WAITING),
        row("running", Phase.RUNNING),
        row("passed2", Phase.ENDED),
    ]
    frame = arrange(rows, 4, most_tail=6)
    assert [shown.id for shown in frame.rows] == ["failed", "waiting", "running"]
    assert frame.hidden == "2 more passed"


@given(st.lists(st.sampled_from(Phase)), st.integers(min_value=0, max_value=30), st.integers(min_value=0, max_value=9))
def test_a_frame_is_never_higher_than_the_terminal(phases: list[Phase], height: int, most_tail: int) -> None:
    rows = [row(str(number), phase) for number, phase in enumerate(phases)]
    frame = arrange(rows, height, most_tail=most_tail)
    running = sum(shown.phase is Phase.RUNNING for shown in frame.rows)
    assert len(frame.rows) + running * frame.tail + bool(frame.hidden) <= max(height, 1)
    hidden = sum(int(part.split()[0]) for part in frame.hidden.split(", ") if part)
    assert len(frame.rows) + hidden == len(rows)
