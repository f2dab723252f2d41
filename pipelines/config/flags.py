"""Keys as the command line gives them (`--set KEY=VALUE`)."""

from __future__ import annotations

import tomllib


def key_path(text: str) -> tuple[str, ...]:
    """The path of a dotted key; parts may be in quotes, as in TOML: `images.shop.labels."com.example.team"`."""
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
