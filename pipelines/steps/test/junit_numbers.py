"""Times and counts as writers of JUnit reports put them: with points, commas, spaces and units of any country."""

from __future__ import annotations

import re

_GROUPS = re.compile(r"[\s'\u2019_]")  # between thousands
_NUMBER = re.compile(r"(\d{1,20}(?:\.\d{1,20})?(?:e[-+]?\d{1,2})?)(ms|s)?", re.IGNORECASE | re.ASCII)


def seconds(text: str | None) -> float:
    """A time in seconds; 0 where nothing can be read.

    `1,234.5` and `1.234,5` have thousands, `0,5` a comma for its point. One comma alone is a point: three digits after it are
    milliseconds, which is what writers give.
    """
    found = _NUMBER.fullmatch(_with_points(_GROUPS.sub("", text or "")))
    return float(found[1]) / (1000 if (found[2] or "").lower() == "ms" else 1) if found else 0.0


def whole(text: str | None) -> int | None:
    """A number of things, or of a line; None where nothing can be read."""
    number = (text or "").strip()
    return int(number) if number.isdecimal() and number.isascii() and len(number) < 10 else None  # noqa: PLR2004 - none has 10 digits


def _with_points(text: str) -> str:
    comma, point = text.rfind(","), text.rfind(".")
    if comma >= 0 and point >= 0:
        thousands, decimal = (",", ".") if point > comma else (".", ",")
        return text.replace(thousands, "").replace(decimal, ".")
    if text.count(",") == 1:
        return text.replace(",", ".")
    return text.replace(",", "") if comma >= 0 or text.count(".") < 2 else text.replace(".", "")  # noqa: PLR2004 - one is a decimal point
