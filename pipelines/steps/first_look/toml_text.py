"""Texts of TOML, for a proposed configuration."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable


def quoted(text: str) -> str:
    """A TOML basic string; JSON's escapes are a subset of TOML's."""
    return json.dumps(text, ensure_ascii=False)


def array(values: Iterable[str]) -> str:
    """An array of strings on one line."""
    return "[" + ", ".join(quoted(value) for value in values) + "]"
