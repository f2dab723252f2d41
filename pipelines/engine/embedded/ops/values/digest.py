"""One way to make keys: canonical JSON, SHA-256."""

from __future__ import annotations

import hashlib
import json
from typing import Any


def digest_of(*values: Any) -> str:
    """Hex SHA-256 of the values' canonical JSON. Bytes count by their own digest, tuples as lists; nothing else is converted."""
    text = json.dumps(values, sort_keys=True, separators=(",", ":"), ensure_ascii=True, default=_plain)
    return hashlib.sha256(text.encode()).hexdigest()


def _plain(value: object) -> Any:
    if isinstance(value, bytes):
        return {"sha256": hashlib.sha256(value).hexdigest()}
    raise TypeError(f"{type(value).__name__} cannot be part of a key")
