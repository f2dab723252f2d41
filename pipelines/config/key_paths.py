"""Keys and paths of keys as people write and read them: `images.shop.labels."com.example.team"`."""

from __future__ import annotations

import json
import re
import tomllib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

_BARE = re.compile(r"[A-Za-z0-9_-]{1,100}")
_LONGEST = 100  # characters that are shown of a key in quotes


def key_path(text: str) -> tuple[str, ...]:
    """The path that a dotted key stands for (`--set KEY=VALUE`); parts may be in quotes, as in TOML."""
    if not {'"', "'"} & set(text):
        return tuple(text.split("."))
    try:
        found: object = tomllib.loads(f"{text} = 0")
    except (tomllib.TOMLDecodeError, RecursionError):
        return tuple(text.split("."))
    path: list[str] = []
    while isinstance(found, dict) and len(found) == 1:
        ((part, found),) = found.items()
        path.append(part)
    return tuple(path)


def quoted_key(name: str) -> str:
    """A key as TOML writes it: in quotes where it is more than a word, so that it cannot control a terminal."""
    return name if _BARE.fullmatch(name) else json.dumps(name[:_LONGEST], ensure_ascii=not name.isprintable())


def dotted(path: Iterable[str | int]) -> str:
    """A path as people write it: `scan.waivers[0].id`."""
    text = ""
    for part in path:
        text += f"[{part}]" if isinstance(part, int) else f".{quoted_key(part)}" if text else quoted_key(part)
    return text
