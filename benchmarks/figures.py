"""A measured figure, its bound, and the table they are printed in."""

from __future__ import annotations

import json
import statistics
from dataclasses import dataclass, field
from math import comb
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

ROUNDS = 10
CONFIDENCE = 0.95


@dataclass(frozen=True)
class Sample:
    """The same thing measured several times, in the unit of its row."""

    values: tuple[float, ...]

    @property
    def median(self) -> float:
        return statistics.median(self.values)

    @property
    def interval(self) -> tuple[float, float]:
        """Where the true median is, with 95 % confidence: between two of the sorted values, whatever the distribution.

        For ten values these are the second and the last but one (98 %); for five or fewer the smallest and the largest (94 % at most).
        """
        ordered = sorted(self.values)
        size, outside = len(ordered), 0
        while outside + 1 < size / 2 and 1 - 2 * sum(comb(size, k) for k in range(outside + 2)) / 2**size >= CONFIDENCE:
            outside += 1
        return ordered[outside], ordered[size - 1 - outside]


@dataclass(frozen=True)
class Row:
    """A figure: less is better.

    Attributes:
        name: what was measured.
        unit: of all its numbers.
        ours: Lockgate's values.
        bound: the most the median may be; None where only the peers' columns say something.
        peers: the same work by other programs in the same run, by their names.
    """

    name: str
    unit: str
    ours: Sample
    bound: float | None = None
    peers: Mapping[str, Sample] = field(default_factory=dict)

    @property
    def is_broken(self) -> bool:
        """Whether the interval excludes the bound: a median above it by chance is not enough."""
        return self.bound is not None and self.ours.interval[0] > self.bound

    @property
    def verdict(self) -> str:
        if self.bound is None:
            return ""
        return "BROKEN" if self.is_broken else "ok" if self.ours.median <= self.bound else "ok (not excluded)"


def sample(values: Sequence[float]) -> Sample:
    """A sample of at least one value."""
    if not values:
        raise ValueError("nothing was measured")
    return Sample(tuple(values))


def table(rows: Sequence[Row]) -> str:
    """A Markdown table: median and interval of each figure, one column for each peer, the bound and whether it holds."""
    peers = list(dict.fromkeys(name for row in rows for name in row.peers))
    lines = [f"| | unit | lockgate | {''.join(f'{name} | ' for name in peers)}bound | |", "|---" * (5 + len(peers)) + "|"]
    for row in rows:
        others = "".join(f"{_cell(row.peers[name]) if name in row.peers else ''} | " for name in peers)
        bound = "" if row.bound is None else f"{row.bound:.3g}"
        lines.append(f"| {row.name} | {row.unit} | {_cell(row.ours)} | {others}{bound} | {row.verdict} |")
    return "\n".join(lines)


def _cell(measured: Sample) -> str:
    low, high = measured.interval
    return f"{measured.median:.3g}" if low == high else f"{measured.median:.3g} ({low:.3g} to {high:.3g})"


def as_json(rows: Sequence[Row]) -> list[dict[str, Any]]:
    """The rows with all their values."""
    return [
        {
            "name": row.name,
            "unit": row.unit,
            "values": row.ours.values,
            "median": row.ours.median,
            "interval": row.ours.interval,
            "bound": row.bound,
            "broken": row.is_broken,
            "peers": {name: peer.values for name, peer in row.peers.items()},
        }
        for row in rows
    ]


def report(rows: Sequence[Row], *, as_document: bool = False) -> int:
    """Print the rows; 1 when a bound is broken, else 0."""
    print(json.dumps(as_json(rows), indent=2) if as_document else table(rows), flush=True)
    return int(any(row.is_broken for row in rows))
