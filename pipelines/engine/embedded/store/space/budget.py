"""Whose store it is, and how large it may be."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from pipelines.engine.embedded.errors import InvalidInput
from pipelines.foundation.sizes import parse_size

if TYPE_CHECKING:
    from pathlib import Path

LARGEST = 20 * 10**9  # bytes, where nobody says otherwise


def default_budget(root: Path) -> int:
    """Bytes a store keeps after a session: `$LOCKGATE_STORE_BUDGET` (500MB, 20GiB …), else 20 GB, or a quarter of its disk if less.

    Args:
        root: the store, or where it will be.

    Raises:
        InvalidInput: the variable is not a size.
    """
    if text := os.environ.get("LOCKGATE_STORE_BUDGET"):
        return _bytes(text)
    folder = root
    while not os.path.exists(folder):
        folder = folder.parent
    disk = os.statvfs(folder)
    return min(LARGEST, disk.f_frsize * disk.f_blocks // 4)


def _bytes(text: str) -> int:
    if text.strip() == "0":
        return 0  # keep nothing
    try:
        return parse_size(text)
    except ValueError:
        raise InvalidInput(f"LOCKGATE_STORE_BUDGET={text!r} is not a size: write for example 20GiB or 500MB") from None
