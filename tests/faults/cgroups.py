"""The control groups that killed sessions leave until the next session."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path


def leftovers() -> set[str]:
    """Folders of sessions, beside this process in the version 2 hierarchy, that no living session holds a lock on."""
    found = set()
    for line in Path("/proc/self/mountinfo").read_text().splitlines():
        if " - cgroup2 " in line:
            for folder in Path(line.split()[4], _own()).glob("lockgate-*"):
                if not _held(folder):
                    found.add(str(folder))
    return found


def _own() -> str:
    lines = Path("/proc/self/cgroup").read_text().splitlines()
    return next((line.split(":", 2)[2].lstrip("/") for line in lines if line.startswith("0:")), "")


def _held(folder: Path) -> bool:
    try:
        lock = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    except FileNotFoundError:
        return True  # it is being taken away
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(lock)
    return False
