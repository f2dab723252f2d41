"""A stable topological order, and a cycle as a path. Pure, iterative: any depth works.

Worked example: with needs `{"d": ["b", "c"], "a": [], "c": ["a"], "b": ["a"]}` the order is `a, c, b, d`: what needs nothing comes
first, and of several that could come next, the one written first.
"""

from __future__ import annotations

import heapq
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence


class CycleError(ValueError):
    """The needs go in a circle; `path` begins and ends with the same key."""

    def __init__(self, path: tuple[str, ...]) -> None:
        super().__init__(" -> ".join(path))
        self.path = path


def topological(needs: Mapping[str, Sequence[str]]) -> tuple[str, ...]:
    """Keys so that each comes after all it needs; ties keep the mapping's order. Every need must be a key.

    Raises:
        CycleError: there is no such order.
    """
    rank = {key: index for index, key in enumerate(needs)}
    open_needs = {key: len(set(wanted)) for key, wanted in needs.items()}
    wanted_by = dependents(needs)
    ready = [rank[key] for key, count in open_needs.items() if count == 0]  # ascending, so already a heap
    keys, order = tuple(needs), []
    while ready:
        key = keys[heapq.heappop(ready)]
        order.append(key)
        for dependent in wanted_by[key]:
            open_needs[dependent] -= 1
            if open_needs[dependent] == 0:
                heapq.heappush(ready, rank[dependent])
    if len(order) < len(keys):
        raise CycleError(_cycle({key: needs[key] for key, count in open_needs.items() if count > 0}))
    return tuple(order)


def dependents(needs: Mapping[str, Sequence[str]]) -> dict[str, tuple[str, ...]]:
    """The other direction: who needs a key, in the mapping's order."""
    found: dict[str, list[str]] = {key: [] for key in needs}
    for key, wanted in needs.items():
        for need in dict.fromkeys(wanted):
            found[need].append(key)
    return {key: tuple(users) for key, users in found.items()}


def ancestors(needs: Mapping[str, Sequence[str]], keys: Iterable[str]) -> frozenset[str]:
    """The keys and everything they need, directly or not."""
    found: set[str] = set()
    todo = list(keys)
    while todo:
        key = todo.pop()
        if key not in found:
            found.add(key)
            todo.extend(needs[key])
    return frozenset(found)


def _cycle(stuck: Mapping[str, Sequence[str]]) -> tuple[str, ...]:
    """A circle among keys that each wait for another one here: walk from need to need until a key comes again."""
    key, trail = next(iter(stuck)), dict[str, int]()
    while key not in trail:
        trail[key] = len(trail)
        key = next(need for need in stuck[key] if need in stuck)
    path = list(trail)[trail[key] :]
    first = path.index(min(path, key=list(stuck).index))
    return (*path[first:], *path[:first], path[first])
