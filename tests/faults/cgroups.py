"""The control groups that killed sessions leave until the next session."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path


def leftovers() -> set[str]:
    """Folders of sessions, beside this process in every hierarchy of either version, that no living session holds a lock on."""
    found = set()
    for line in Path("/proc/self/mountinfo").read_text().splitlines():
        fields, _, kind = line.partition(" - ")
        if kind.split()[0] in {"cgroup", "cgroup2"}:
            own = _own(kind.split()[-1].split(",") if kind.startswith("cgroup ") else [])
            for folder in Path(fields.split()[4], own).glob("lockgate-*"):
                if not _held(folder):
                    found.add(str(folder))
    return found


def _own(options: list[str]) -> str:
    """Where this process is in the hierarchy that is mounted with these options; in version 2 without any."""
    for line in Path("/proc/self/cgroup").read_text().splitlines():
        number, names, path = line.split(":", 2)
        if (number == "0") is not bool(options) and (not options or set(names.split(",")) <= set(options)):
            return path.lstrip("/")
    return ""


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
