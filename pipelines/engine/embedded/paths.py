"""Where the engine keeps what is not the store. Rule: XDG base directories, moved as a whole by LOCKGATE_CACHE."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping


def cache_dir(environ: Mapping[str, str] | None = None) -> Path:
    """`$LOCKGATE_CACHE`, else `$XDG_CACHE_HOME/lockgate`, else `~/.cache/lockgate`. It need not exist."""
    env = os.environ if environ is None else environ
    if chosen := env.get("LOCKGATE_CACHE"):
        return Path(chosen).absolute()
    base = env.get("XDG_CACHE_HOME", "")
    return (Path(base) if base.startswith("/") else Path(env.get("HOME") or "/") / ".cache") / "lockgate"


def run_dir(environ: Mapping[str, str] | None = None) -> Path:
    """Where a session's run-time state is: inside the jail a tmpfs of its own; an empty folder to everyone else."""
    return cache_dir(environ) / "run"


def store_dir(environ: Mapping[str, str] | None = None, *, rootless: bool = False) -> Path:
    """`store-MODE-UID` in `$LOCKGATE_STORE`, else in the cache: a store for each mode and user, whose layers the others could not use.

    Args:
        environ: the environment, if not this process's.
        rootless: the engine runs in a user namespace; its layers are marked otherwise than root's.
    """
    env = os.environ if environ is None else environ
    folder = Path(env["LOCKGATE_STORE"]).absolute() if env.get("LOCKGATE_STORE") else cache_dir(env)
    return folder / f"store-{'rootless' if rootless else 'root'}-{host_uid()}"


def host_uid() -> int:
    """This process's user as the host knows it: within a user namespace everybody is root."""
    uid = os.getuid()
    with Path("/proc/self/uid_map").open(encoding="ascii") as table:
        for line in table:
            inside, outside, count = map(int, line.split())
            if inside <= uid < inside + count:
                return outside + uid - inside
    return uid
