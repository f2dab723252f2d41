from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from pipelines.flow.heard import Heard

LINES = st.lists(st.sampled_from(["", "a", "b", "c"]), max_size=12)


@given(heard=LINES, handed_over=LINES)
def test_what_is_left_is_what_was_heard_without_what_came_again(heard: list[str], handed_over: list[str]) -> None:
    memory = Heard()
    for line in heard:
        memory.add(line)
    model = list(heard)
    for line in handed_over:
        assert memory.again(line) == (line in model)
        if line in model:
            model.remove(line)
    assert memory.rest() == model
    assert memory.rest() == []


@given(st.lists(st.sampled_from(["x", "y"]), max_size=12))
def test_the_last_lines_are_remembered(heard: list[str]) -> None:
    memory = Heard(most=3)
    for line in heard:
        memory.add(line)
    assert memory.rest() == heard[-3:]
