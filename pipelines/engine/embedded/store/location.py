"""Where the store is."""

from __future__ import annotations

import os
from pathlib import Path


def default_root(*, rootless: bool) -> Path:
    """The store of this user: `store-MODE-UID` in `$LOCKGATE_STORE`, else in `$XDG_CACHE_HOME/lockgate` (`~/.cache/lockgate`).

    Args:
        rootless: the engine runs in a user namespace; its layers are marked otherwise than root's, so they are kept apart.
    """
    base = os.environ.get("LOCKGATE_STORE")
    cache = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")
    folder = Path(base) if base else Path(cache) / "lockgate"
    return folder.absolute() / f"store-{'rootless' if rootless else 'root'}-{host_uid()}"


def host_uid() -> int:
    """This process's user as the host knows it: within a user namespace everybody is root."""
    uid = os.getuid()
    with open("/proc/self/uid_map", encoding="ascii") as table:
        for line in table:
            inside, outside, count = map(int, line.split())
            if inside <= uid < inside + count:
                return outside + uid - inside
    return uid
