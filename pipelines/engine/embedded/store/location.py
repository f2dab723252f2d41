"""Where the store is."""

from __future__ import annotations

import os
import re
from pathlib import Path

from pipelines.engine.embedded.errors import InvalidInput


def default_root(*, rootless: bool) -> Path:
    """The store of this user: `store-MODE-UID` in `$LOCKGATE_STORE`, else in `$XDG_CACHE_HOME/lockgate` (`~/.cache/lockgate`).

    Args:
        rootless: the engine runs in a user namespace; its layers are marked otherwise than root's, so they are kept apart.
    """
    base = os.environ.get("LOCKGATE_STORE")
    cache = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")
    folder = Path(base) if base else Path(cache) / "lockgate"
    return folder.absolute() / f"store-{'rootless' if rootless else 'root'}-{host_uid()}"


def default_budget(root: Path) -> int:
    """Bytes a store keeps: `$LOCKGATE_STORE_BUDGET` (a number with an optional unit: 500MB, 20GiB), else a quarter of its disk.

    Args:
        root: the store, or where it will be.

    Raises:
        InvalidInput: the variable is not a size.
    """
    if text := os.environ.get("LOCKGATE_STORE_BUDGET"):
        return _bytes(text)
    folder = root
    while not folder.exists():
        folder = folder.parent
    disk = os.statvfs(folder)
    return disk.f_frsize * disk.f_blocks // 4


def _bytes(text: str) -> int:
    found = re.fullmatch(r"\s*(\d+(?:\.\d+)?)\s*([kmgt]?)(i?)b?\s*", text, re.IGNORECASE)
    if found is None:
        raise InvalidInput(f"LOCKGATE_STORE_BUDGET={text!r} is not a size: write for example 20GiB or 500MB")
    number, prefix, binary = found.groups()
    return int(float(number) * (1024 if binary else 1000) ** " kmgt".index(prefix.lower() or " "))


def host_uid() -> int:
    """This process's user as the host knows it: within a user namespace everybody is root."""
    uid = os.getuid()
    with open("/proc/self/uid_map", encoding="ascii") as table:
        for line in table:
            inside, outside, count = map(int, line.split())
            if inside <= uid < inside + count:
                return outside + uid - inside
    return uid
