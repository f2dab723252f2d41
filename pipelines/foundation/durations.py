"""Durations as people write them: `90`, `"90s"`, `"10m"`, `"1h30m"`."""

from __future__ import annotations

import re

_PART = re.compile(r"(\d+(?:\.\d+)?)(ms|s|m|h|d)")
_SECONDS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
EXPECTED = 'expected a duration such as 90, "90s", "10m" or "1h30m", more than zero'


def parse_duration(value: object) -> float:
    """Seconds in a duration: a number of seconds, or numbers with the units ms, s, m, h, d.

    Raises:
        ValueError: anything else, and durations that are not more than zero.
    """
    seconds = _seconds(value)
    if not 0 < seconds < float("inf"):
        raise ValueError(EXPECTED)
    return seconds


def _seconds(value: object) -> float:
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return float(value)
    if not isinstance(value, str):
        raise ValueError(EXPECTED)  # noqa: TRY004 - one kind of error for one kind of mistake: a wrong value in a file
    text = value.strip().replace(" ", "")
    parts = _PART.findall(text)
    if not parts or "".join(number + unit for number, unit in parts) != text:
        raise ValueError(EXPECTED)
    return sum(float(number) * _SECONDS[unit] for number, unit in parts)


def show_duration(seconds: float) -> str:
    """Seconds, exactly, in the form that `parse_duration` reads: `0.5s`, `90s` as `1m30s`, `2h`."""
    whole = round(seconds)
    if whole < 60 or whole != seconds:  # noqa: PLR2004 - seconds in a minute
        return f"{seconds:g}s"
    hours, rest = divmod(whole, 3600)
    minutes, seconds_left = divmod(rest, 60)
    return "".join(f"{number}{unit}" for number, unit in ((hours, "h"), (minutes, "m"), (seconds_left, "s")) if number)


def rounded_duration(seconds: float) -> str:
    """Seconds, rounded to what a person wants to know: `0.4s`, `12s`, `3m05s`, `1h02m`, `2d03h`."""
    if seconds < 10:  # noqa: PLR2004 - below, tenths matter
        return f"{max(seconds, 0.0):.1f}s"
    whole = round(seconds)
    if whole < 60:  # noqa: PLR2004 - seconds in a minute
        return f"{whole}s"
    minutes, hours = whole // 60, whole // 3600
    if hours == 0:
        return f"{minutes}m{whole % 60:02d}s"
    if hours < 24:  # noqa: PLR2004 - hours in a day
        return f"{hours}h{minutes % 60:02d}m"
    return f"{hours // 24}d{hours % 24:02d}h"
