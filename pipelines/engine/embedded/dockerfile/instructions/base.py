"""What every instruction of a stage has in common."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from pipelines.engine.embedded.dockerfile.syntax.expand import Expander


@dataclass(frozen=True, slots=True, kw_only=True)
class StageInstruction:
    """An instruction of a stage, its words as written.

    Attributes:
        text: the instruction on one line, for progress and history.
        line: its first line, counted from 1.
    """

    text: str
    line: int

    def expand(self, expander: Expander) -> Self:  # noqa: ARG002 - most instructions have words to expand, some have none
        """The same instruction with its variables replaced (``BuildPlan.expand`` calls it, and adds the place to a fault)."""
        return self


Pairs = tuple[tuple[str, str], ...]


def expand_pairs(pairs: Pairs, expander: Expander) -> Pairs:
    """``name=value`` pairs with both halves expanded."""
    return tuple((expander.word(name), expander.word(value)) for name, value in pairs)
