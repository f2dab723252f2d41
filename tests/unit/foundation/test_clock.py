"""How moments are written."""

from __future__ import annotations

import datetime as dt

from hypothesis import given
from hypothesis import strategies as st

from pipelines.foundation.clock import COMPACT, compact_timestamp, timestamp, unix_time, utc_now

NOON = dt.datetime(2026, 1, 31, 13, 0, 0, 123456, dt.timezone(dt.timedelta(hours=1)))


def test_a_moment_is_written_in_utc() -> None:
    assert timestamp(NOON) == "2026-01-31T12:00:00Z"
    assert timestamp(NOON, digits="milliseconds") == "2026-01-31T12:00:00.123Z"
    assert compact_timestamp(NOON) == "20260131T120000Z"


@given(st.datetimes(min_value=dt.datetime(1970, 1, 2), max_value=dt.datetime(9999, 1, 1), timezones=st.just(dt.UTC)))  # noqa: DTZ001 - bounds
def test_what_is_written_is_read_back(moment: dt.datetime) -> None:
    whole = moment.replace(microsecond=0)
    assert dt.datetime.fromisoformat(timestamp(moment)) == whole
    assert dt.datetime.strptime(compact_timestamp(moment), COMPACT).replace(tzinfo=dt.UTC) == whole


def test_both_clocks_agree() -> None:
    assert abs(utc_now().timestamp() - unix_time()) < 60
