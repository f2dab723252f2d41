"""Numbers and durations as they are written in a Dockerfile."""

from __future__ import annotations

import re
from fractions import Fraction

from pipelines.engine.embedded.dockerfile.errors import Fault

DIGITS = 20


def whole_number(text: str, highest: int, *, base: int = 10) -> int | None:
    """The number; None when the text is not a number, or the number is higher than `highest`."""
    digits = text.lstrip("0")
    if not re.fullmatch("[0-7]+" if base == 8 else "[0-9]+", text) or len(digits) > DIGITS:  # noqa: PLR2004 - octal or decimal
        return None
    number = int(digits or "0", base)
    return number if number <= highest else None


UNITS = {"ns": 1, "us": 10**3, "µs": 10**3, "μs": 10**3, "ms": 10**6, "s": 10**9, "m": 60 * 10**9, "h": 3600 * 10**9}
PART = re.compile(r"(\d+(?:\.\d*)?|\.\d+)(ns|us|µs|μs|ms|s|m|h)")
LONGEST = 100  # characters
SHORTEST = 10**6  # nanoseconds
HIGHEST = 2**63 - 1  # the same: about 292 years


def nanoseconds(text: str, name: str = "duration") -> int:
    """A duration as Go writes it (``1m30s``, ``500ms``, ``1.5h``), 0 or at least a millisecond; the empty text is 0.

    Raises:
        Fault: for anything else.
    """
    if text in {"", "0"}:
        return 0
    sign, body = (-1, text[1:]) if text.startswith("-") else (1, text.removeprefix("+"))
    parts = PART.findall(body) if len(body) <= LONGEST else []
    if not parts or "".join(number + unit for number, unit in parts) != body:
        raise Fault(f'time: invalid duration "{text[:LONGEST]}"')
    total = sign * int(sum(Fraction(number) * UNITS[unit] for number, unit in parts))
    if total > HIGHEST:
        raise Fault(f'time: invalid duration "{text}"')
    if total and total < SHORTEST:
        raise Fault(f'Interval "{name}" cannot be less than 1ms')
    return total
