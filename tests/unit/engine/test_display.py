from __future__ import annotations

import pytest

from pipelines.engine.embedded.display import WIDTH, shorten, show_size, show_span


@pytest.mark.parametrize(
    ("count", "text"),
    [(0, "0 B"), (999, "999 B"), (1000, "1.0 kB"), (99_949, "99.9 kB"), (123_456, "123 kB"), (5_000_000, "5.0 MB"), (7e12, "7000 GB")],
)
def test_sizes(count: float, text: str) -> None:
    assert show_size(count) == text


@pytest.mark.parametrize(("seconds", "text"), [(0, "0 s"), (59.4, "59 s"), (60, "1 min"), (7200, "2 h"), (200_000, "2 d")])
def test_spans(seconds: float, text: str) -> None:
    assert show_span(seconds) == text


def test_names_stay_one_line() -> None:
    assert shorten("a  b\nc") == "a b c"
    assert shorten("x" * WIDTH) == "x" * WIDTH
    assert shorten("x" * (WIDTH + 1)) == "x" * (WIDTH - 1) + "…"
