"""The session's own control groups: they filter devices, limit and count what containers use, and must not be left behind.

The runtime is shown the version 2 hierarchy only, which every kernel has, mounted or not: one directory per container instead of one per
controller halves the time a container takes to start. Limits are set there where it has the controllers, and in the version 1 hierarchies
where these have them. All directories lie below the one this process is in: limits set on us hold for containers too.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from pipelines.engine.embedded import kernel
from pipelines.engine.embedded.sandbox.cgroups.controllers import (
    LIMITS,
    OPTIONAL,
    fewest_cpus,
    find_home,
    first_version,
    hand_on,
    needed,
    own_path,
    session_files,
    tightest,
    write,
)
from pipelines.engine.embedded.sandbox.cgroups.starter import GroupStarter, Starter

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pipelines.engine.embedded.sandbox.cgroups.controllers import CgroupHome, Hierarchy
    from pipelines.model import EngineSpec

ROOT = Path("/sys/fs/cgroup")  # where runtimes look; must be ours to mount on: a private mount namespace
_PREFIX = "lockgate-"
_TRIES = 5
_FLAGS = kernel.MS_NOSUID | kernel.MS_NODEV | kernel.MS_NOEXEC


class _Locked(NamedTuple):
    """A directory and the descriptor that holds its lock."""

    folder: Path
    lock: int


class Cgroups:
    """The directories of this session; each is locked while the session lives: others can tell it from one that a killed session left.

    Attributes:
        starter: starts the runtime, within version 1 groups where limits are kept by these.
        processes: how many processes a container may have, to be set by the runtime; None: the runtime sets no limit.
        lacks: the limits that were asked for and cannot be kept here, by their names in `[engine]`.
    """

    def __init__(self, hierarchy: Path, directory: _Locked) -> None:
        self._mounted = [ROOT, hierarchy]
        self._directories = [directory]
        self.starter = Starter()
        self.processes: int | None = None
        self.lacks: tuple[str, ...] = ()

    @classmethod
    def enter(cls, hierarchy: Path, spec: EngineSpec, *, rootless: bool) -> Cgroups | None:
        """Make the session's directory the root of all cgroups in this mount namespace.

        To be called in a thread that ends: rootless, it is moved to another cgroup namespace.

        Args:
            hierarchy: an empty directory to mount the whole hierarchy on; more are made beside it.
            spec: the limits to set, as far as that is possible.
            rootless: inside an ordinary user's user namespace.

        Returns:
            None where we may not make cgroups. Runtimes then still find version 2, the one they are quick with.
        """
        try:
            if rootless:
                kernel.unshare(kernel.CLONE_NEWCGROUP)
            kernel.mount("cgroup2", hierarchy, "cgroup2", _FLAGS)
        except OSError:
            return None
        membership = Path("/proc/thread-self/cgroup").read_text()
        home = find_home(hierarchy, own_path(membership), needed(spec))
        try:
            sweep(home.folder)
            directory = _make(home.folder)
        except OSError:
            kernel.bind(hierarchy, ROOT)
            return None
        kernel.bind(directory.folder, ROOT)
        made = cls(hierarchy, directory)
        made._limit(spec, home, {} if rootless else first_version(membership))
        return made

    def _limit(self, spec: EngineSpec, home: CgroupHome, first: Mapping[str, Hierarchy]) -> None:
        """Set the limits, each by the hierarchy that has its controller."""
        kept = self._limit_second(spec, home) | self._limit_first(spec, first)
        self.lacks = tuple(LIMITS[name] for name in needed(spec) if name not in kept)

    def _limit_second(self, spec: EngineSpec, home: CgroupHome) -> set[str]:
        folder = self._directories[0].folder
        bounds = replace(spec, memory=tightest(home.skipped, "memory.max", spec.memory), cpus=fewest_cpus(home.skipped, spec.cpus))
        kept = {name for name in home.controllers if _set(folder, name, bounds, second=True)}
        if "pids" in kept and hand_on(folder, ["pids"]):
            self.processes = spec.processes
            if (most := tightest(home.skipped, "pids.max")) is not None:
                write(folder / "pids.max", str(most))
            return kept
        return kept - {"pids"}

    def _limit_first(self, spec: EngineSpec, first: Mapping[str, Hierarchy]) -> set[str]:
        made: dict[str, Path] = {}
        for name, hierarchy in first.items():
            with contextlib.suppress(OSError):
                folder = self._make_first(name, hierarchy)
                if _set(folder, name, spec, second=False):
                    made[name] = folder
        if made:
            pids = made.get("pids")
            self.starter = GroupStarter(tuple(made.values()), (pids, spec.processes) if pids is not None else None)
        return set(made)

    def _make_first(self, name: str, hierarchy: Hierarchy) -> Path:
        """The session's directory in a version 1 hierarchy, which is mounted for us alone."""
        mounted = self._mounted[1].with_name(f"cgroup-{name}")
        mounted.mkdir(mode=0o700, exist_ok=True)
        kernel.mount("cgroup", mounted, "cgroup", _FLAGS, hierarchy.controllers)
        self._mounted.append(mounted)
        parent = mounted / hierarchy.path if hierarchy.path else mounted
        sweep(parent)
        directory = _make(parent)
        self._directories.append(directory)
        return directory.folder

    def remove(self, name: str) -> None:
        """Remove the cgroups of a container that has ended."""
        _remove_tree(ROOT / name)
        self.starter.remove(name)

    def kill(self, name: str) -> None:
        """Kill whatever still runs in the cgroup of a container."""
        with contextlib.suppress(OSError):
            (ROOT / name / "cgroup.kill").write_text("1")

    def close(self) -> None:
        """Remove the session's directories and their mounts."""
        self.starter.close()
        for directory in self._directories:
            _remove_tree(directory.folder)
        for mounted in self._mounted:
            with contextlib.suppress(OSError):
                kernel.umount(mounted, kernel.MNT_DETACH)
        for directory in self._directories:
            os.close(directory.lock)


def _set(folder: Path, controller: str, spec: EngineSpec, *, second: bool) -> bool:
    """Whether the limits of a controller could be set."""
    return all(
        write(folder / name, value) or (name in OPTIONAL and not (folder / name).exists())
        for name, value in session_files(controller, spec, second=second)
    )


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


def _make(parent: Path) -> _Locked:
    """A new locked directory; tried again when a sweep elsewhere took it before it was locked."""
    if not os.access(parent / "cgroup.procs", os.W_OK):
        raise PermissionError(parent)  # a directory might be made, but no process moved into it
    for _ in range(_TRIES):
        directory = parent / f"{_PREFIX}{os.urandom(6).hex()}"
        directory.mkdir()
        lock = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        fcntl.flock(lock, fcntl.LOCK_SH)
        if directory.exists():
            return _Locked(directory, lock)
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
