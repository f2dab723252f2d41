"""Paths of a tree that match a pattern."""

from __future__ import annotations

import posixpath
from typing import TYPE_CHECKING

from pipelines.engine.embedded.errors import InvalidInput
from pipelines.engine.embedded.store.selection.patterns import Pattern

if TYPE_CHECKING:
    from pipelines.engine.embedded.store.trees.root import Root


def glob(root: Root, rel: str, pattern: str) -> list[str]:
    """Paths below the folder `rel` that match, relative to it, in walking order (by the names' bytes); those of folders end with a slash.

    Raises:
        InvalidInput: the pattern is malformed or empty.
        NotFound: no such folder.
    """
    if not pattern.strip():
        raise InvalidInput("failed to create glob pattern matcher: empty pattern")
    wanted = Pattern(pattern)
    found: list[str] = []
    if wanted.negated:
        return found
    pending = [root.entries(rel)[::-1]]
    folders = [""]
    while pending:
        if not pending[-1]:
            pending.pop()
            folders.pop()
            continue
        entry = pending[-1].pop()
        path = folders[-1] + entry
        name = path.removesuffix("/")
        if hit := wanted.matches(name):
            found.append(path)
        if name != path and (hit or wanted.may_match_below(name)):
            pending.append(root.entries(posixpath.join(rel, name))[::-1])
            folders.append(path)
    return found
