from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from pipelines.cli.progress.lines import LastLines


def test_pieces_become_lines() -> None:
    lines = LastLines(10)
    assert lines.feed("a") == []
    assert lines.feed("b\nc\nd") == ["ab", "c"]
    assert list(lines) == ["ab", "c", "d"]


def test_a_progress_bar_is_its_last_state() -> None:
    lines = LastLines(10)
    assert lines.feed("10%\r50%\r\n") == ["50%"]
    lines.feed("running 1\rrunning 2\r")
    assert lines.last(1) == ["running 2"]


def test_colour_that_spans_writes_is_gone() -> None:
    lines = LastLines(10)
    lines.feed("\x1b[3")
    lines.feed("1mred\x1b[0m\n")
    assert list(lines) == ["red"]


def test_marks_of_steps_are_not_for_people() -> None:
    assert LastLines(10).feed("a\n| \x1elockgate exit 0\nb\n") == ["a", "b"]


def test_what_is_dropped_is_counted() -> None:
    lines = LastLines(2)
    lines.feed("1\n2\n3\n4\n")
    assert (list(lines), lines.dropped) == (["3", "4"], 2)


def test_last_leaves_out_empty_lines() -> None:
    lines = LastLines(10)
    lines.feed("a\n\n \nb\n")
    assert lines.last(2) == ["a", "b"]


def test_output_without_a_newline_does_not_grow_for_ever() -> None:
    lines = LastLines(2)
    for _ in range(10):
        lines.feed("x" * 50_000)
    assert sum(len(line) for line in lines) <= 3 * 115_000


@given(st.lists(st.text(alphabet="ab\n")))
def test_however_it_is_cut_it_reads_the_same(pieces: list[str]) -> None:
    text = "".join(pieces)
    cut, whole = LastLines(1000), LastLines(1000)
    for piece in pieces:
        cut.feed(piece)
    whole.feed(text)
    assert list(cut) == list(whole) == text.split("\n")[: None if text and not text.endswith("\n") else -1]
