"""Numbers as a Dockerfile has them: ASCII digits only, and never so many that Python would not read them."""

from __future__ import annotations

import re

DIGITS = 20


def whole_number(text: str, highest: int, *, base: int = 10) -> int | None:
    """The number; None when the text is not a number, or the number is higher than `highest`."""
    digits = text.lstrip("0")
    if not re.fullmatch("[0-7]+" if base == 8 else "[0-9]+", text) or len(digits) > DIGITS:  # noqa: PLR2004 - octal or decimal
        return None
    number = int(digits or "0", base)
    return number if number <= highest else None
