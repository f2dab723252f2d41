"""Words that look alike: for suggestions in messages."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

SIMILAR = 0.6


def closest(word: str, candidates: Iterable[str], *, at_least: float = SIMILAR) -> str | None:
    """The candidate most like a word; None when none is `at_least` so much like it (0: nothing in common, 1: the same)."""
    import difflib

    return next(iter(difflib.get_close_matches(word, sorted(candidates), 1, at_least)), None)


def did_you_mean(word: str, candidates: Iterable[str]) -> str:
    """`; did you mean X?` when a candidate is close to the word, else ''."""
    close = closest(word, candidates)
    return f"; did you mean {close}?" if close is not None else ""
