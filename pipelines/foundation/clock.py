"""The clock, behind one small interface, so that tests set it by hand."""

from __future__ import annotations

import datetime as dt
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable


def utc_now() -> dt.datetime:
    """Now, aware of its time zone; it may jump when the clock of the machine is set, so durations are measured otherwise."""
    return dt.datetime.now(dt.UTC)


def unix_time() -> float:
    """The time of day as seconds since 1970 in UTC, as files and databases have it."""
    return time.time()


@dataclass(frozen=True, slots=True, kw_only=True)
class Clock:
    """Two clocks: `now` is the time of day in UTC, for people and records; `monotonic` counts seconds from any moment and never goes back,
    for durations and limits.
    """

    now: Callable[[], dt.datetime] = utc_now
    monotonic: Callable[[], float] = time.monotonic
