"""Sizes as people write them: `1048576`, `"500MB"`, `"4GiB"`."""

from __future__ import annotations

import re

_FORM = re.compile(r"(\d{1,19}(?:\.\d{1,6})?)\s*([kmgt]?)(i?)b?", re.IGNORECASE | re.ASCII)
_LARGEST = 2**60
_SHOWN = ("B", "kB", "MB", "GB")
EXPECTED = 'expected a size such as 1048576, "500MB" or "4GiB", more than zero'


def parse_size(value: object) -> int:
    """Bytes in a size: a number of bytes, or a number with the unit k, M, G, T (powers of 1000) or Ki, Mi, Gi, Ti (powers of 1024).

    Raises:
        ValueError: anything else, and sizes that are not more than zero.
    """
    size = _bytes(value)
    if not 0 < size <= _LARGEST:
        raise ValueError(EXPECTED)
    return size


def _bytes(value: object) -> int:
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    found = _FORM.fullmatch(value.strip()) if isinstance(value, str) else None
    if found is None:
        raise ValueError(EXPECTED)
    number, prefix, binary = found.groups()
    unit: int = (1024 if binary else 1000) ** " kmgt".index(prefix.lower() or " ")
    return int(float(number) * unit) if "." in number else int(number) * unit


def show_size(count: float) -> str:
    """Bytes, rounded to three digits: `512 B`, `1.5 MB`, `123 kB` (powers of 1000)."""
    unit = 0
    while count >= 1000 and unit < len(_SHOWN) - 1:  # noqa: PLR2004 - the next unit begins there
        count, unit = count / 1000, unit + 1
    return f"{count:.1f} {_SHOWN[unit]}" if unit and count < 100 else f"{count:.0f} {_SHOWN[unit]}"  # noqa: PLR2004 - three digits
