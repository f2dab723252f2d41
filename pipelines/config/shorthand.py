"""Short spellings written out, so that layers merge key by key: `image = "shop"` is `image = { name = "shop" }`,
`engine = "embedded"` is `engine = { kind = "embedded" }`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping


def written_out(tables: Mapping[str, Any]) -> dict[str, Any]:
    """The same tables with the engine, and the image of every test, as a table."""
    written = dict(tables)
    if isinstance(tables.get("engine"), str):
        written["engine"] = {"kind": tables["engine"]}
    tests = tables.get("tests")
    if isinstance(tests, dict):
        written["tests"] = {name: _test(test) for name, test in tests.items()}
    return written


def full_path(path: tuple[str, ...]) -> tuple[str, ...]:
    """The path of the key that a short path stands for."""
    return ("engine", "kind") if path == ("engine",) else path


def _test(test: Any) -> Any:
    if isinstance(test, dict) and isinstance(test.get("image"), str):
        return {**test, "image": {"name": test["image"]}}
    return test
