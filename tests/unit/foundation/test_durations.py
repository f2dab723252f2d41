from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.foundation.durations import parse_duration, rounded_duration, show_duration


@pytest.mark.parametrize(
    ("text", "seconds"),
    [(90, 90.0), (0.5, 0.5), ("90s", 90.0), ("10m", 600.0), ("1h30m", 5400.0), ("1h 5s", 3605.0), ("2d", 172800.0), ("250ms", 0.25)],
)
def test_what_people_write(text: object, seconds: float) -> None:
    assert parse_duration(text) == seconds


@pytest.mark.parametrize(
    "value", ["", "90", "m", "10 minutes", "-5s", "1h30", 0, -1, True, None, [], float("nan"), float("inf"), "0s", "1e3s", "\u0661m2"]
)
def test_anything_else_is_refused(value: object) -> None:
    with pytest.raises(ValueError, match="expected a duration"):
        parse_duration(value)


@given(st.integers(min_value=1, max_value=10**7))
def test_what_is_shown_can_be_read_back(seconds: int) -> None:
    assert parse_duration(show_duration(seconds)) == seconds


@pytest.mark.parametrize(("seconds", "text"), [(0.25, "0.25s"), (5, "5s"), (60, "1m"), (5400, "1h30m"), (61.5, "61.5s")])
def test_shown_short(seconds: float, text: str) -> None:
    assert show_duration(seconds) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (-0.1, "0.0s"),
        (0.44, "0.4s"),
        (12.4, "12s"),
        (59.6, "1m00s"),
        (185, "3m05s"),
        (3725, "1h02m"),
        (86399, "23h59m"),
        (183600, "2d03h"),
    ],
)
def test_rounded(seconds: float, text: str) -> None:
    assert rounded_duration(seconds) == text
