"""Keys that later versions will know. They are refused by name, so that nobody relies on a gate that does not exist yet."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

_LATER: dict[tuple[str, ...], frozenset[str]] = {
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


def is_later(path: Sequence[str | int]) -> bool:
    """Whether the key at a path belongs to a later version."""
    *tables, key = path
    return any(key in keys and _matches(tables, pattern) for pattern, keys in _LATER.items())


def _matches(tables: Sequence[str | int], pattern: tuple[str, ...]) -> bool:
    return len(tables) == len(pattern) and all(wanted in ("*", got) for got, wanted in zip(tables, pattern, strict=True))
