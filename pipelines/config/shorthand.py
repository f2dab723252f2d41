"""Short spellings written out, so that layers merge key by key: `image = "shop"` is `image = { name = "shop" }`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping


def written_out(tables: Mapping[str, Any]) -> dict[str, Any]:
    """The same tables with the image of every test as a table."""
    tests = tables.get("tests")
    if not isinstance(tests, dict):
        return dict(tables)
    return {**tables, "tests": {name: _test(test) for name, test in tests.items()}}


def _test(test: Any) -> Any:
    if isinstance(test, dict) and isinstance(test.get("image"), str):
        return {**test, "image": {"name": test["image"]}}
    return test
