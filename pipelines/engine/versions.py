"""Which versions of engine and SDK matter to each other, as far as people need to know.

Facts: volatile variables came with engine 0.21.4; SDK 0.21 works with engines 0.20 and 0.21 without a change. An engine refuses clients
that are too old for it by itself.
"""

from __future__ import annotations

import re

_VERSION = re.compile(r"v?(\d+)\.(\d+)\.(\d+)")
_VOLATILE = (0, 21, 4)
"""The first engine that tells a step whether its outcome was replayed from a cache."""


def mismatch(engine: str | None, sdk: str | None) -> str | None:
    """What follows from the versions of a Dagger engine and of dagger-io, in one sentence; None when nothing does, or one is unknown."""
    ours, theirs = _parsed(sdk), _parsed(engine)
    if ours is None or theirs is None:
        return None
    if theirs < _VOLATILE:
        return (
            f"Dagger engine {_shown(theirs)} is older than {_shown(_VOLATILE)}: nothing is shown as cached, "
            "and a command that does not pass is run a second time"
        )
    if theirs[:2] > ours[:2]:
        return f"Dagger engine {_shown(theirs)} is newer than dagger-io {_shown(ours)}: if a request is refused, pip install -U dagger-io"
    return None


def _parsed(version: str | None) -> tuple[int, int, int] | None:
    """The three numbers of a version; what follows them (a pre-release, a build) does not count."""
    found = _VERSION.match(version or "")
    return (int(found[1]), int(found[2]), int(found[3])) if found else None


def _shown(version: tuple[int, int, int]) -> str:
    return ".".join(map(str, version))
