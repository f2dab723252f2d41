from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

LONGEST = 40  # characters of a word that could be one of ours
NEAR = 3
"""From this many edits on, another name is not a likely typing mistake."""


def distance(first: str, second: str) -> int:
    """Levenshtein distance: insertions, deletions and replacements, each costing 1."""
    row = list(range(len(second) + 1))
    for i, a in enumerate(first, 1):
        previous, row[0] = row[0], i
        for j, b in enumerate(second, 1):
            previous, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, previous + (a != b))
    return row[-1]


def hint(word: str, options: Iterable[str], *, fold: bool = False) -> str:
    """`` (did you mean X?)`` for the nearest option, or nothing; ``fold`` ignores case and answers in the case of ``word``."""
    wanted = word.lower() if fold else word
    names = sorted({option.lower() if fold else option for option in options})
    if not names or wanted in names or len(wanted) > LONGEST:
        return ""
    best = min(names, key=lambda name: distance(wanted, name))
    if distance(wanted, best) >= NEAR:
        return ""
    return f" (did you mean {best.upper() if fold and word.isupper() else best}?)"
