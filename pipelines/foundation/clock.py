"""The clock, behind one small interface, so that tests set it by hand."""

from __future__ import annotations

import datetime as dt
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Callable

COMPACT = "%Y%m%dT%H%M%SZ"
"""How `compact_timestamp` writes a moment, for who reads one back."""


def utc_now() -> dt.datetime:
    """Now, aware of its time zone; it may jump when the clock of the machine is set, so durations are measured otherwise."""
    return dt.datetime.now(dt.UTC)


def unix_time() -> float:
    """The time of day as seconds since 1970 in UTC, as files and databases have it."""
    return time.time()


def timestamp(moment: dt.datetime, *, digits: Literal["seconds", "milliseconds"] = "seconds") -> str:
    """A moment in UTC as RFC 3339 has it: `2026-01-31T12:00:00Z`."""
    return moment.astimezone(dt.UTC).isoformat(timespec=digits).replace("+00:00", "Z")


def compact_timestamp(moment: dt.datetime) -> str:
    """A moment in UTC for names of files (ISO 8601, basic format): `20260131T120000Z`."""
    return f"{moment.astimezone(dt.UTC):{COMPACT}}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Clock:
    """Two clocks: `now` is the time of day in UTC, for people and records; `monotonic` counts seconds from any moment and never goes back,
    for durations and limits.
    """

    now: Callable[[], dt.datetime] = utc_now
    monotonic: Callable[[], float] = time.monotonic
