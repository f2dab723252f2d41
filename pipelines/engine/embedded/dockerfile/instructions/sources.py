"""Sources of COPY and ADD: which paths a pattern names.

Rule: Go's `path.Match` within names, as BuildKit walks: links are followed up to the first wildcard, not after it.
"""

from __future__ import annotations

import posixpath
import stat
from typing import TYPE_CHECKING

from pipelines.engine.embedded.errors import NotFound

if TYPE_CHECKING:
    from pipelines.engine.embedded.store.trees.root import Root


def wild(text: str) -> bool:
    """Whether there is a wildcard: `*`, `?` or `[` without a backslash before it."""
    at = 0
    while at < len(text):
        if text[at] in "*?[":
            return True
        at += 2 if text[at] == "\\" else 1
    return False


def matching(root: Root, base: str, pattern: str) -> list[str]:
    """The paths below `base` that a pattern names, in order of their names; a text without wildcards is a path.

    Raises:
        NotFound: a path without wildcards, or the part before the first wildcard, is not there.
        InvalidInput: the pattern is malformed.
    """
    from pipelines.engine.embedded.store.selection.patterns import name_pattern

    parts = [part for part in posixpath.normpath(pattern).split("/") if part]
    first = next((index for index, part in enumerate(parts) if wild(part)), len(parts))
    found = [posixpath.join("/", base, *parts[:first])]
    root.stat(found[0])
    for depth, part in enumerate(parts[first:]):
        fits = name_pattern(part)
        found = [posixpath.join(path, name) for path in found for name in _names(root, path, follow=depth == 0) if fits(name)]
    return found


def _names(root: Root, path: str, *, follow: bool) -> list[str]:
    try:
        return root.listdir(path) if stat.S_ISDIR(root.stat(path, follow=follow).st_mode) else []
    except NotFound:
        return []
