"""Which steps a board of a given height shows. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pipelines.model import Result


class Phase(Enum):
    """Where a step is on its way."""

    WAITING = "waiting"
    RUNNING = "running"
    ENDED = "ended"


@dataclass(slots=True)
class Row:
    """One step on the board; `began` on the board's clock, `note` a remark while it runs."""

    id: str
    needs: tuple[str, ...] = ()
    phase: Phase = Phase.WAITING
    began: float = 0.0
    note: str = ""
    result: Result | None = None


@dataclass(frozen=True, slots=True)
class Frame:
    """The rows to show in the order of the plan, how many last lines a running step may show, and words for what is left out."""

    rows: tuple[Row, ...]
    tail: int
    hidden: str = ""


def arrange(rows: Sequence[Row], height: int, *, most_tail: int) -> Frame:
    """Fit the rows into `height` lines: running steps first, then what went wrong, what waits, what passed; the rest as a count."""
    running = sum(row.phase is Phase.RUNNING for row in rows)
    if len(rows) <= height:
        spare = height - len(rows)
        return Frame(tuple(rows), min(most_tail, spare // running) if running else 0)
    keep = set(sorted(range(len(rows)), key=lambda index: (_rank(rows[index]), index))[: max(height - 1, 0)])
    left_out = [row for index, row in enumerate(rows) if index not in keep]
    return Frame(tuple(row for index, row in enumerate(rows) if index in keep), 0, _counted(left_out))


def _rank(row: Row) -> int:
    if row.phase is Phase.RUNNING:
        return 0
    if row.result is not None:
        return 1 if row.result.status.value in {"failed", "error"} else 3
    return 2


def _counted(rows: Sequence[Row]) -> str:
    words: dict[str, int] = {}
    for row in rows:
        word = row.result.status.value if row.result is not None else row.phase.value
        words[word] = words.get(word, 0) + 1
    return ", ".join(f"{count} more {word}" for word, count in words.items())
