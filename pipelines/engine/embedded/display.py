"""Numbers for people."""

from __future__ import annotations

UNITS = ("B", "kB", "MB", "GB")
WIDTH = 60  # characters of a name in a list


def show_size(count: float) -> str:
    """Bytes for people: 3 significant digits at most."""
    unit = 0
    while count >= 1000 and unit < len(UNITS) - 1:  # noqa: PLR2004 - a decimal kilo
        count, unit = count / 1000, unit + 1
    return f"{count:.1f} {UNITS[unit]}" if unit and count < 100 else f"{count:.0f} {UNITS[unit]}"  # noqa: PLR2004 - three digits


def show_span(seconds: float) -> str:
    """A time span for people, in its largest unit."""
    for length, name in ((86400, "d"), (3600, "h"), (60, "min")):
        if seconds >= length:
            return f"{seconds / length:.0f} {name}"
    return f"{seconds:.0f} s"


def shorten(text: str) -> str:
    """A name as one line of bounded length."""
    line = " ".join(text.split())
    return line if len(line) <= WIDTH else line[: WIDTH - 1] + "…"
