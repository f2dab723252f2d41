"""``.dockerignore``: the lines as exclude patterns.

The patterns are matched as those of ``Directory.withDirectory(exclude:)`` are (moby patternmatcher: ``**``, ``!``, the last match wins).
A pattern may hide the Dockerfile from COPY; the build reads it from the unfiltered context all the same.
"""

from __future__ import annotations

import posixpath


def candidates(dockerfile: str) -> tuple[str, ...]:
    """Paths in the context where the ignore file of a Dockerfile may be; the first that exists counts alone."""
    return (f"{dockerfile}.dockerignore", ".dockerignore")


def patterns(text: str) -> tuple[str, ...]:
    """Exclude patterns in order: comments and blank lines left out, paths cleaned, a leading ``/`` dropped."""
    lines = text.removeprefix("\ufeff").split("\n")
    stripped = (line.strip() for line in lines if not line.startswith("#"))
    return tuple(_clean(line) for line in stripped if line)


def _clean(line: str) -> str:
    negative = line.startswith("!")
    path = line[negative:].strip()
    if path:
        path = posixpath.normpath(path).replace("//", "/")
        path = path[1:] if len(path) > 1 and path.startswith("/") else path
    return "!" * negative + path
