"""Keys that are refused by name: those of later versions, so that nobody relies on a gate that does not exist yet, and renamed ones."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_OF_LATER_VERSIONS: dict[tuple[str, ...], frozenset[str]] = {
    (): frozenset(
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
    ),
    ("images", "*"): frozenset({"attest", "provenance", "sbom", "sign"}),
    ("tests", "*"): frozenset({"flaky", "shards"}),
    ("scan",): frozenset({"baseline"}),
    ("perf", "*"): frozenset({"baseline", "statistics"}),
    ("publish",): frozenset({"attest", "provenance", "sbom", "sign"}),
}


RENAMED: Mapping[tuple[str, ...], tuple[str, ...]] = {("width",): ("jobs",)}
"""Paths of keys that have another name now, and that name."""


def refusal(path: Sequence[str | int]) -> str | None:
    """Why the key at a path is refused; None for one that no version knows."""
    *tables, key = path
    if tuple(path) in RENAMED:
        return f"renamed: write {'.'.join(RENAMED[tuple(str(part) for part in path)])} instead"
    if any(key in keys and _matches(tables, pattern) for pattern, keys in _OF_LATER_VERSIONS.items()):
        return "not supported by this version"
    return None


def _matches(tables: Sequence[str | int], pattern: tuple[str, ...]) -> bool:
    return len(tables) == len(pattern) and all(wanted in ("*", got) for got, wanted in zip(tables, pattern, strict=True))
