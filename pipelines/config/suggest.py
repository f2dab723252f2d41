"""Words that look alike."""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

_SIMILAR = 0.6


def did_you_mean(word: str, candidates: Iterable[str]) -> str:
    """`; did you mean X?` when something known is close to the word, else ''."""
    close = difflib.get_close_matches(word, sorted(candidates), 1, _SIMILAR)
    return f"; did you mean {close[0]}?" if close else ""
