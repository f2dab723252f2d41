"""Which limits control groups can keep here, and the files that set them: version 1, version 2, or both at once (cgroups(7))."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from pathlib import Path

    from pipelines.model import EngineSpec

CONTROLLERS = ("pids", "memory", "cpu")
LIMITS = {"pids": "processes", "memory": "memory", "cpu": "cpus"}
"""What a controller's limit is called in `[engine]`."""
_PERIOD = 100_000  # microseconds in which processor time is counted
_SHORTEST = 1_000  # microseconds: the kernel takes no smaller quota
_MAX = "max"


@dataclass(frozen=True, slots=True)
class Hierarchy:
    """A version 1 hierarchy: the controllers it is mounted with, as one word (`cpu,cpuacct`), and where this process is in it."""

    controllers: str
    path: str


def own_path(membership: str) -> str:
    """This process's directory in the version 2 hierarchy, relative to its root, from the text of /proc/PID/cgroup."""
    for line in membership.splitlines():
        number, _, path = line.split(":", 2)
        if number == "0" and "/.." not in path:
            return path.lstrip("/")
    return ""


def first_version(membership: str) -> dict[str, Hierarchy]:
    """The controllers of ours that are in version 1 hierarchies, from the text of /proc/PID/cgroup."""
    found: dict[str, Hierarchy] = {}
    for line in membership.splitlines():
        number, names, path = line.split(":", 2)
        if number != "0" and "/.." not in path:
            found |= {name: Hierarchy(names, path.lstrip("/")) for name in names.split(",") if name in CONTROLLERS}
    return found


def needed(spec: EngineSpec) -> tuple[str, ...]:
    """The controllers of the limits that are asked for."""
    asked = {"pids": True, "memory": spec.memory is not None, "cpu": spec.cpus is not None}
    return tuple(name for name in CONTROLLERS if asked[name])


def session_files(controller: str, spec: EngineSpec, *, second: bool) -> Iterator[tuple[str, str]]:
    """The files of a session's directory, with what to write, that limit all its containers together."""
    if controller == "memory" and spec.memory is not None:
        names = ("memory.max", "memory.swap.max") if second else ("memory.limit_in_bytes", "memory.memsw.limit_in_bytes")
        yield names[0], str(spec.memory)
        yield names[1], "0" if second else str(spec.memory)  # in version 1 memory and swap together
    if controller == "cpu" and spec.cpus is not None:
        quota = max(_SHORTEST, int(spec.cpus * _PERIOD))
        if second:
            yield "cpu.max", f"{quota} {_PERIOD}"
        else:
            yield "cpu.cfs_period_us", str(_PERIOD)
            yield "cpu.cfs_quota_us", str(quota)


OPTIONAL = frozenset({"memory.swap.max", "memory.memsw.limit_in_bytes"})
"""Files a kernel without accounting of swap does not have."""


@dataclass(frozen=True, slots=True)
class CgroupHome:
    """Where a session's directory is made in the version 2 hierarchy.

    Args:
        folder: its parent.
        controllers: those it can set limits with.
        skipped: the directories between our own and `folder`, our own first: their limits would be lost.
    """

    folder: Path
    controllers: frozenset[str] = frozenset()
    skipped: tuple[Path, ...] = ()


def find_home(root: Path, own: str, wanted: Iterable[str]) -> CgroupHome:
    """Our own directory where its children can have the controllers, else the nearest above it where they can.

    A directory with processes, as ours is, cannot hand any on (unless it is the root): then a directory beside it is used, and the limits
    that are set in between are copied to it. Where that is not possible either, nothing is limited.
    """
    here = root / own if own else root
    present = frozenset(wanted) & _words(root / "cgroup.controllers")
    if not present:
        return CgroupHome(here)
    hand_on(here, present - _words(here / "cgroup.subtree_control"))
    skipped: list[Path] = []
    for folder in (here, *_above(here, root)):
        if present <= _words(folder / "cgroup.subtree_control") and os.access(folder / "cgroup.procs", os.W_OK):
            return CgroupHome(folder, present, tuple(skipped))
        skipped.append(folder)
        present |= {name for name in CONTROLLERS if _is_limited(folder, name)}
    return CgroupHome(here)


def _is_limited(folder: Path, controller: str) -> bool:
    """Whether the folder has a limit of its own, that one beside it would not have."""
    return read(folder / f"{controller}.max").partition(" ")[0].isdigit()


def hand_on(folder: Path, controllers: Iterable[str]) -> bool:
    """Let the directories below have these controllers; False where the kernel refuses."""
    return all(write(folder / "cgroup.subtree_control", f"+{name}") for name in sorted(controllers))


def tightest(folders: Iterable[Path], name: str, ours: int | None = None) -> int | None:
    """The smallest of our limit and those in the file `name` of the folders; None: there is none."""
    found = [int(text) for folder in folders if (text := read(folder / name)).isdigit()]
    return min([*found, *([] if ours is None else [ours])], default=None)


def fewest_cpus(folders: Iterable[Path], ours: float | None = None) -> float | None:
    """The smallest of our number of processors and those that `cpu.max` of the folders stand for; None: there is none."""
    found = [] if ours is None else [ours]
    for folder in folders:
        quota, _, period = read(folder / "cpu.max").partition(" ")
        if quota.isdigit() and period.isdigit() and int(period):
            found.append(int(quota) / int(period))
    return min(found, default=None)


def seen(ask: Callable[[str], str | None], *, root: bool) -> frozenset[str]:
    """The controllers a session's limits could be set with, found out by reading alone: for `doctor`.

    Args:
        ask: gives the text of a file, None when it is not there.
        root: whether the engine runs as root; an ordinary user's engine asks for none.
    """
    membership = ask("/proc/self/cgroup") or ""
    if not root:
        return frozenset()
    first = frozenset(first_version(membership))
    mounted = "/sys/fs/cgroup"
    present = frozenset((ask(f"{mounted}/cgroup.controllers") or "").split()) & frozenset(CONTROLLERS)
    path = f"/{own_path(membership)}".rstrip("/")
    if not path and ask(f"{mounted}/cgroup.type") is None:
        return first | present  # the root of all: its children can have what it has
    while True:
        if present <= frozenset((ask(f"{mounted}{path}/cgroup.subtree_control") or "").split()):
            return first | present
        if not path:
            return first
        path = path.rpartition("/")[0]


def _above(here: Path, root: Path) -> Iterator[Path]:
    while here != root:
        here = here.parent
        yield here


def _words(path: Path) -> frozenset[str]:
    return frozenset(read(path).split())


def read(path: Path) -> str:
    """The text of a control file without the last newline; "" when it cannot be read."""
    try:
        return path.read_text().strip()
    except OSError:
        return ""


def write(path: Path, text: str) -> bool:
    """Write a control file, which must be there; False when it cannot be written."""
    try:
        file = os.open(path, os.O_WRONLY | os.O_CLOEXEC)
    except OSError:
        return False
    try:
        os.write(file, text.encode())
    except OSError:
        return False
    finally:
        os.close(file)
    return True
