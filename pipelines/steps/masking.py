"""Keeps secret values out of texts that did not pass through an engine's own masking: files read out of a container.

A value is looked for as it is and as base64, URL-escaped, JSON-escaped and XML-escaped text. Values of fewer than three characters are
left alone: they would blank out half a report and hide nothing.
"""

from __future__ import annotations

import base64
import json
import re
from typing import TYPE_CHECKING
from urllib.parse import quote, quote_plus
from xml.sax.saxutils import escape, quoteattr

if TYPE_CHECKING:
    from collections.abc import Iterable

MASK = "***"
_SHORTEST = 3


class Masker:
    """Replaces every form of some secret values by `***`."""

    def __init__(self, values: Iterable[str] = ()) -> None:
        forms = {form for value in values for form in forms_of(value)}
        longest_first = sorted(forms, key=len, reverse=True)
        self._pattern = re.compile("|".join(map(re.escape, longest_first))) if forms else None

    def mask(self, text: str) -> str:
        """The text without the values."""
        return self._pattern.sub(MASK, text) if self._pattern else text

    def __repr__(self) -> str:
        return "Masker(…)"


def forms_of(value: str) -> frozenset[str]:
    """The ways a value may be written, itself first; empty for a value too short to hide."""
    plain = value.strip("\r\n")
    if len(plain.strip()) < _SHORTEST:
        return frozenset()
    written = {plain, value} if value.strip() else {plain}
    encoded = {base64.b64encode(text.encode()).decode() for text in written} | {
        base64.urlsafe_b64encode(text.encode()).decode() for text in written
    }
    escaped = {quote(plain, safe=""), quote_plus(plain), quote(plain)}
    escaped |= {json.dumps(plain)[1:-1], json.dumps(plain, ensure_ascii=False)[1:-1], escape(plain), quoteattr(plain)[1:-1]}
    return frozenset(written | encoded | {text.rstrip("=") for text in encoded} | escaped)
