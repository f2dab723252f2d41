"""Layers of configuration laid over each other, and where every value came from."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from pipelines.config.origin import Origin


def flattened(tables: Mapping[str, Any], prefix: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], object]]:
    """Every value that is not a table, with its path; an empty table counts as a value."""
    for key, value in tables.items():
        path = (*prefix, key)
        if isinstance(value, dict) and value:
            yield from flattened(value, path)
        else:
            yield path, value


class Layers:
    """Merged tables. Tables merge key by key; everything else, arrays too, is replaced by the stronger layer."""

    def __init__(self) -> None:
        self.tables: dict[str, Any] = {}
        self._origins: dict[tuple[str, ...], Origin] = {}

    def lay(self, tables: Mapping[str, Any], origin: Origin) -> None:
        """Put a stronger layer on top."""
        for path, value in flattened(tables):
            self.put(path, value, origin)

    def put(self, path: tuple[str, ...], value: object, origin: Origin) -> None:
        """Set one value."""
        if value == {} and isinstance(self._at(path), dict):
            return  # an empty table opens a section, it does not empty one
        table = self.tables
        for depth, key in enumerate(path[:-1], 1):
            below = table.get(key)
            if not isinstance(below, dict):
                self._forget(path[:depth])
                below = table[key] = {}
            table = below
        self._forget(path)
        table[path[-1]] = {} if value == {} else value
        self._origins[path] = origin

    def origin(self, path: tuple[str, ...]) -> Origin | None:
        """Where the value at a path, or the array or word it was made of, came from; None for a default."""
        if path in self._origins:
            return self._origins[path]
        for end in range(len(path) - 1, 0, -1):
            if path[:end] in self._origins:
                # An empty table opens a section; the keys below it are defaults all the same.
                return None if self._at(path[:end]) == {} else self._origins[path[:end]]
        return None

    def _at(self, path: tuple[str, ...]) -> object:
        value: object = self.tables
        for key in path:
            if not isinstance(value, dict) or key not in value:
                return None
            value = value[key]
        return value

    def _forget(self, path: tuple[str, ...]) -> None:
        for known in [known for known in self._origins if known[: len(path)] == path]:
            del self._origins[known]
