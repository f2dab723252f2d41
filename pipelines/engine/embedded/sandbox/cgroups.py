"""The session's own control group: what containers are filtered (devices) and counted by, and what must not be left behind.

Only the version 2 hierarchy is used, which every kernel has, mounted or not: one directory per container instead of one per controller
halves the time a container takes to start. Its directories lie below the one this process is in: limits set on us hold for containers too.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
from pathlib import Path

from pipelines.engine.embedded import kernel

ROOT = Path("/sys/fs/cgroup")  # where runtimes look; must be ours to mount on: a private mount namespace
_PREFIX = "lockgate-"
_TRIES = 5


class Cgroups:
    """The directory of this session; it is locked as long as we live, so that others can tell it from a leftover."""

    def __init__(self, hierarchy: Path, directory: Path, lock: int) -> None:
        self._hierarchy = hierarchy
        self._directory = directory
        self._lock = lock

    @classmethod
    def enter(cls, hierarchy: Path, *, rootless: bool) -> Cgroups | None:
        """Make the session's directory the root of all cgroups in this mount namespace.

        To be called in a thread that ends: rootless, it is moved to another cgroup namespace.

        Args:
            hierarchy: an empty directory to mount the whole hierarchy on.
            rootless: inside an ordinary user's user namespace.

        Returns:
            None where we may not make cgroups. Runtimes then still find version 2, the one they are quick with.
        """
        try:
            if rootless:
                kernel.unshare(kernel.CLONE_NEWCGROUP)
            kernel.mount("cgroup2", hierarchy, "cgroup2", kernel.MS_NOSUID | kernel.MS_NODEV | kernel.MS_NOEXEC)
        except OSError:
            return None
        parent = hierarchy / own_path(Path("/proc/thread-self/cgroup").read_text())
        try:
            sweep(parent)
            directory, lock = _make(parent)
        except OSError:
            kernel.bind(hierarchy, ROOT)
            return None
        kernel.bind(directory, ROOT)
        return cls(hierarchy, directory, lock)

    def remove(self, name: str) -> None:
        """Remove the cgroup of a container that has ended."""
        _remove_tree(ROOT / name)

    def kill(self, name: str) -> None:
        """Kill whatever still runs in the cgroup of a container."""
        with contextlib.suppress(OSError):
            (ROOT / name / "cgroup.kill").write_text("1")

    def close(self) -> None:
        """Remove the session's directory and its mounts."""
        _remove_tree(self._directory)
        for mounted in (ROOT, self._hierarchy):
            with contextlib.suppress(OSError):
                kernel.umount(mounted, kernel.MNT_DETACH)
        os.close(self._lock)


def own_path(membership: str) -> str:
    """This process's directory, relative to the hierarchy's root, from the text of /proc/PID/cgroup (cgroups(7))."""
    for line in membership.splitlines():
        number, _, path = line.split(":", 2)
        if number == "0" and "/.." not in path:
            return path.lstrip("/")
    return ""


def sweep(parent: Path) -> None:
    """Remove what killed sessions left below `parent`."""
    for directory in parent.glob(_PREFIX + "*"):
        with contextlib.suppress(OSError):
            lock = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                _remove_tree(directory)
            finally:
                os.close(lock)


def _make(parent: Path) -> tuple[Path, int]:
    """A new locked directory; tried again when a sweep elsewhere took it before it was locked."""
    if not os.access(parent / "cgroup.procs", os.W_OK):
        raise PermissionError(parent)  # a directory might be made, but no process moved into it
    for _ in range(_TRIES):
        directory = parent / f"{_PREFIX}{os.urandom(6).hex()}"
        directory.mkdir()
        lock = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        fcntl.flock(lock, fcntl.LOCK_SH)
        if directory.exists():
            return directory, lock
        os.close(lock)
    raise FileNotFoundError(parent)


def _children(directory: Path) -> list[Path]:
    try:
        return [entry for entry in directory.iterdir() if entry.is_dir()]
    except OSError:
        return []


def _remove_tree(directory: Path) -> None:
    """Kernel files vanish with their directory; a directory with processes stays."""
    for child in _children(directory):
        _remove_tree(child)
    with contextlib.suppress(OSError):
        directory.rmdir()
