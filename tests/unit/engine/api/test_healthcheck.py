from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.engine.embedded.api.healthcheck import go_duration
from pipelines.engine.embedded.dockerfile.syntax.numbers import nanoseconds


@pytest.mark.parametrize(
    ("count", "text"),
    [
        (0, "0s"),
        (1, "1ns"),
        (1_500, "1.5µs"),
        (20_000_000, "20ms"),
        (1_500_000_000, "1.5s"),
        (60_000_000_000, "1m0s"),
        (90_000_000_000, "1m30s"),
        (3_600_000_000_000, "1h0m0s"),
        (3_601_000_000_001, "1h0m1.000000001s"),
    ],
)
def test_durations_are_written_as_go_writes_them(count: int, text: str) -> None:
    assert go_duration(count) == text


@given(st.integers(10**6, 10**16))
def test_a_duration_written_is_the_duration_read(count: int) -> None:
    assert nanoseconds(go_duration(count)) == count
