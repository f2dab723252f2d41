"""What of a build context is sent to the engine.

`docker_build` applies .dockerignore itself; the same patterns are given to `host.directory`, so that what is ignored is never read,
hashed or copied. Beside them go Lockgate's own files, whose change must not rebuild anything, its caches where they are below the
context (a CI may cache nothing outside a project), and `.git` (as BuildKit does for a context out of git; `!.git` in .dockerignore
brings it back).
"""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import TYPE_CHECKING

from pipelines.foundation.files import OWN_FOLDER
from pipelines.foundation.regular_files import read_bytes

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_SPECIAL = re.compile(r"[*?\[\]\\]")
OURS = (".git", f"**/{OWN_FOLDER}", "**/lockgate.local.toml")


def exclusions(context: Path, dockerfile: str) -> tuple[str, ...]:
    """Patterns for `host.directory(exclude=…)`, in .dockerignore's own syntax, where the last match wins.

    `dockerfile` is relative to the context; it and the ignore file stay, as the Dockerfile frontend demands.
    """
    specific, common = f"{dockerfile}.dockerignore", ".dockerignore"
    name = next((name for name in (specific, common) if (context / name).is_file()), None)
    caches = caches_below(context, os.environ)
    if name is None:
        return (*OURS, *caches)
    ignored = patterns(read_bytes(context / name).decode("utf-8-sig", errors="replace"))
    return (*OURS, *ignored, f"!{dockerfile}", f"!{name}", *caches)


def caches_below(folder: Path, environ: Mapping[str, str]) -> tuple[str, ...]:
    """Lockgate's caches and stores that are inside a folder, as patterns relative to it: they belong to no build context, to no sources."""
    root = folder.resolve()
    places = {Path(place).resolve() for place in _caches(environ)}
    below = sorted(path.relative_to(root).as_posix() for path in places if path != root and path.is_relative_to(root))
    return tuple(_SPECIAL.sub(r"\\\g<0>", name) for name in below)


def _caches(environ: Mapping[str, str]) -> Iterator[str]:
    """Where they are: as variables say, else as the XDG base directories do."""
    if store := environ.get("LOCKGATE_STORE"):
        yield store
    if cache := environ.get("LOCKGATE_CACHE"):
        yield cache
    elif base := environ.get("XDG_CACHE_HOME") or (f"{environ['HOME']}/.cache" if environ.get("HOME") else ""):
        yield f"{base}/lockgate"


def patterns(text: str) -> tuple[str, ...]:
    """The patterns of an ignore file: comments and blank lines dropped, leading slashes too (all patterns are relative to the context)."""
    found = []
    for line in text.splitlines():
        pattern = line.strip()
        if not pattern or line.startswith("#"):
            continue
        negated = pattern.startswith("!")
        body = pattern.removeprefix("!").strip().lstrip("/")
        if body and body != ".":
            found.append(f"!{body}" if negated else body)
    return tuple(found)
