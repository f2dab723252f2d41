"""Sizes as people write them and as they are shown."""

from __future__ import annotations

import pytest

from pipelines.foundation.sizes import parse_size, show_size
from pipelines.foundation.text import shortened


@pytest.mark.parametrize(("text", "count"), [(7, 7), ("1048576", 1048576), ("500MB", 5 * 10**8), ("4GiB", 4 << 30), ("1.5 k", 1500)])
def test_what_people_write(text: object, count: int) -> None:
    assert parse_size(text) == count


@pytest.mark.parametrize("value", ["", "MB", "-1", 0, True, None, "4XB", "9" * 30])
def test_anything_else_is_refused(value: object) -> None:
    with pytest.raises(ValueError, match="expected a size"):
        parse_size(value)


@pytest.mark.parametrize(
    ("count", "text"),
    [(0, "0 B"), (999, "999 B"), (1000, "1.0 kB"), (99_949, "99.9 kB"), (123_456, "123 kB"), (5_000_000, "5.0 MB"), (7e12, "7000 GB")],
)
def test_shown(count: float, text: str) -> None:
    assert show_size(count) == text


def test_a_shortened_text_is_one_line() -> None:
    assert shortened("a  b\nc", 60) == "a b c"
    assert shortened("x" * 60, 60) == "x" * 60
    assert shortened("x" * 61, 60) == "x" * 59 + "…"
