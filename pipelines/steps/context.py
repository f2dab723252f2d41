"""What of a build context is sent to the engine.

`docker_build` applies .dockerignore itself; the same patterns are given to `host.directory`, so that what is ignored is never read,
hashed or copied. Beside them go Lockgate's own files, whose change must not rebuild anything, and `.git` (as BuildKit does for a context
out of git; `!.git` in .dockerignore brings it back).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipelines.engine.embedded.paths import cache_dir
from pipelines.foundation.regular_files import read_bytes

if TYPE_CHECKING:
    from pathlib import Path

OURS = (".git", "**/.lockgate", "**/lockgate.local.toml")


def exclusions(context: Path, dockerfile: str) -> tuple[str, ...]:
    """Patterns for `host.directory(exclude=…)`, in .dockerignore's own syntax, where the last match wins.

    `dockerfile` is relative to the context; it and the ignore file stay, as the Dockerfile frontend demands.
    """
    specific, common = f"{dockerfile}.dockerignore", ".dockerignore"
    name = next((name for name in (specific, common) if (context / name).is_file()), None)
    ours = (*OURS, *_cache(context))
    if name is None:
        return ours
    text = read_bytes(context / name).decode("utf-8-sig", errors="replace")
    return (*ours, *patterns(text), f"!{dockerfile}", f"!{name}", *_cache(context))


def _cache(context: Path) -> tuple[str, ...]:
    """The pattern of Lockgate's cache, where that is in the context: CI systems keep nothing that is outside the project."""
    cache = cache_dir().resolve()
    if not cache.is_relative_to(context.resolve()) or cache == context.resolve():
        return ()
    return ("".join(f"\\{letter}" if letter in "*?[]\\" else letter for letter in cache.relative_to(context.resolve()).as_posix()),)


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
