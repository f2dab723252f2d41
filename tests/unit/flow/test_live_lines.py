from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from pipelines.flow.live_lines import LiveLines

LINES = st.lists(st.sampled_from(["", "a", "b", "c"]), max_size=12)


@given(printed=LINES, handed_over=LINES)
def test_what_is_left_is_what_was_printed_without_what_came_again(printed: list[str], handed_over: list[str]) -> None:
    memory = LiveLines()
    for line in printed:
        memory.add(line)
    model = list(printed)
    for line in handed_over:
        assert memory.discard(line) == (line in model)
        if line in model:
            model.remove(line)
    assert memory.take_all() == model
    assert memory.take_all() == []


@given(st.lists(st.sampled_from(["x", "y"]), max_size=12))
def test_the_last_lines_are_remembered(printed: list[str]) -> None:
    memory = LiveLines(most=3)
    for line in printed:
        memory.add(line)
    assert memory.take_all() == printed[-3:]
