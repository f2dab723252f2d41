"""Keys as messages show them."""

from __future__ import annotations

import json
import re

_BARE = re.compile(r"[A-Za-z0-9_-]{1,100}")
_SHOWN = 100  # characters of a key that is more than a word


def key(name: str) -> str:
    """A key as TOML writes it: in quotes where it is more than a word, so that it cannot control a terminal."""
    return name if _BARE.fullmatch(name) else json.dumps(name[:_SHOWN], ensure_ascii=not name.isprintable())
