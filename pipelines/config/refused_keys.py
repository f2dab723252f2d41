"""Keys that are refused by name: those of later versions, so that nobody relies on a gate that does not exist yet, and renamed ones."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from pipelines.config.section import Section

_LATER_SECTIONS = frozenset(
    {
        "approvals",
        "clusters",
        "delivery",
        "environments",
        "evidence",
        "freeze",
        "helm",
        "notify",
        "policies",
        "policy",
        "release",
        "signing",
    }
)
RENAMED: Mapping[tuple[str, ...], tuple[str, ...]] = {("width",): ("jobs",)}
"""Paths of keys that have another name now, and that name."""


def refusal(path: Sequence[str | int], sections: Iterable[Section]) -> str | None:
    """Why the key at a path is refused; None for one that no version knows."""
    if tuple(path) in RENAMED:
        return f"renamed: write {'.'.join(RENAMED[tuple(str(part) for part in path)])} instead"
    later = _LATER_SECTIONS if len(path) == 1 else _later_keys(path[:-1], sections)
    return "not supported by this version" if path[-1] in later else None


def _later_keys(table: Sequence[str | int], sections: Iterable[Section]) -> frozenset[str]:
    """The keys that a later version knows in the table of a step."""
    return next((one.later for one in sections if one.key == table[0] and len(table) == 1 + one.named), frozenset())
