"""The files a project has written itself, and their text: for `lockgate init`, which only looks."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipelines.foundation.regular_files import read_bytes

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_DEPTH = 4
_LARGEST = 1 << 20
_FOREIGN = frozenset({"node_modules", "venv", "build", "dist", "target", "vendor", "__pycache__", "site-packages"})


def own_files(folder: Path, *suffixes: str, depth: int = _DEPTH) -> Iterator[Path]:
    """Files that end in one of the suffixes.

    Left out are links, hidden folders, folders that tools fill (`node_modules` and the like), and what is deeper than `depth` folders.
    """
    for path in sorted(folder.iterdir()):
        if path.name.startswith(".") or path.name in _FOREIGN or path.is_symlink():
            continue
        if path.is_dir() and depth > 0:
            yield from own_files(path, *suffixes, depth=depth - 1)
        elif path.suffix in suffixes and path.is_file():
            yield path


def text_of(path: Path) -> str:
    """The text of a file of less than 1 MiB; empty when there is no such file or it cannot be read."""
    try:
        return read_bytes(path).decode("utf-8-sig", errors="replace") if path.is_file() and path.stat().st_size < _LARGEST else ""
    except OSError:
        return ""
