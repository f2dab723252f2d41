"""Looks at a container's file system as its command will see it, before there is a container: root file system plus mounts."""

from __future__ import annotations

import os
import stat
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from pipelines.engine.embedded.kernel import openat2
from pipelines.engine.embedded.sandbox.rootfs.program import Program, look
from pipelines.engine.embedded.sandbox.spec import Bind, Tmpfs

if TYPE_CHECKING:
    from collections.abc import Sequence

_MOST_STEPS = 400  # path components looked at, those of links included: what ends a loop of links
_MOST_MOUNTS = 8  # times a link may lead from the root file system into a mount
_SMALL = 1 << 20  # bytes of passwd or group that are read


@dataclass(frozen=True, slots=True)
class PathInside:
    """A path `rel` under the directory `root` of the engine's view: nothing in it leads out of `root`."""

    root: Path
    rel: str

    def open(self, flags: int = os.O_PATH) -> int:
        """A file descriptor; OSError when it is not there."""
        if not self.rel:
            return os.open(self.root, flags | os.O_CLOEXEC)
        directory = os.open(self.root, os.O_PATH | os.O_CLOEXEC)
        try:
            return openat2(directory, self.rel, flags)
        finally:
            os.close(directory)

    def link(self) -> str | None:
        """Where a symbolic link points; None for anything else."""
        try:
            fd = self.open(os.O_PATH | os.O_NOFOLLOW)
        except OSError:
            return None
        try:
            return os.readlink("", dir_fd=fd) if stat.S_ISLNK(os.fstat(fd).st_mode) else None
        finally:
            os.close(fd)

    def stat(self) -> os.stat_result | None:
        """None when it is not there, or cannot be reached."""
        try:
            fd = self.open()
        except OSError:
            return None
        try:
            return os.fstat(fd)
        finally:
            os.close(fd)

    def canonical(self) -> PathInside:
        """The same place with every symbolic link of `rel` followed inside `root`, as far as the path is there."""
        done: list[str] = []
        todo = list(reversed(self.rel.split("/")))
        for _ in range(_MOST_STEPS):
            if not todo:
                break
            name = todo.pop()
            if name == "..":
                done = done[:-1]
            elif name not in ("", "."):
                link = PathInside(self.root, "/".join([*done, name])).link()
                done = [*done, name] if link is None else [] if link.startswith("/") else done
                todo += reversed(link.split("/")) if link is not None else ()
        return PathInside(self.root, "/".join(done))


class ContainerPaths:
    """The file system of a container that is about to start. A path that leaves a mount through a symbolic link is taken to be missing."""

    def __init__(self, rootfs: Path, mounts: Sequence[Bind | Tmpfs]) -> None:
        self._rootfs = rootfs
        self._mounts = [(normal(m.target), m) for m in mounts]

    def place(self, path: str, *, below: int | None = None) -> PathInside | None:
        """Where `path` is once the first `below` mounts (default: all) are there; None when that is a tmpfs or a single file."""
        path = normal(path)
        for target, mount in reversed(self._mounts[:below]):
            if path == target or path.startswith(target.rstrip("/") + "/"):
                if isinstance(mount, Tmpfs):
                    return None
                return PathInside(mount.source, path[len(target) :].lstrip("/"))
        return PathInside(self._rootfs, path.lstrip("/"))

    def read(self, path: str) -> str:
        """The text of a small file; "" when there is none. A device is not even opened."""
        place = self.place(path)
        try:
            found = place.open() if place else -1
        except OSError:
            return ""
        if found < 0:
            return ""
        try:
            if not stat.S_ISREG(os.fstat(found).st_mode):
                return ""
            with Path(f"/proc/self/fd/{found}").open("rb") as file:  # the same file, even if its name has changed
                return file.read(_SMALL).decode(errors="replace")
        finally:
            os.close(found)

    def finds(self, command: str, path: str, cwd: str) -> bool:
        """Whether `command` is an executable file that can run here, looked up in `path` (of the form a:b:c) unless it has a slash."""
        folders = [cwd] if "/" in command else [os.path.join(cwd, folder) for folder in path.split(":")]  # noqa: PTH118 - container paths
        return any(self._executable(os.path.join(folder, command)) for folder in folders)  # noqa: PTH118

    def _executable(self, path: str) -> bool:
        if not self._is_file(path, 0o111):
            return False
        program = self._program(path)
        return program.native and (program.interpreter is None or not self._is_missing(program.interpreter))

    def _is_missing(self, path: str) -> bool:
        """Whether a file is certainly missing; in a mount we cannot know it, because links there are not followed."""
        place = self.resolved(path)
        return place is not None and place.root == self._rootfs and place.stat() is None

    def resolved(self, path: str) -> PathInside | None:
        """As `place`, where links of the root file system lead into mounts too."""
        place = self.place(path)
        for _ in range(_MOST_MOUNTS):
            if place is None or place.root != self._rootfs:
                break
            real = "/" + place.canonical().rel
            if real in (normal(path), "/"):  # nothing to follow, or an endless circle of links
                break
            path, place = real, self.place(real)
        return place

    def _is_file(self, path: str, mode: int) -> bool:
        place = self.resolved(path)
        status = place.stat() if place else None
        return status is not None and stat.S_ISREG(status.st_mode) and bool(status.st_mode & mode)

    def _program(self, path: str) -> Program:
        """What a regular file needs to run; nothing where it cannot be read."""
        place = self.resolved(path)
        try:
            fd = place.open(os.O_RDONLY | os.O_NONBLOCK) if place else -1
        except OSError:
            return Program()
        try:
            return look(fd) if fd >= 0 else Program()
        except OSError:
            return Program()
        finally:
            if fd >= 0:
                os.close(fd)


def normal(path: str) -> str:
    """An absolute container path without `.`, `..` and doubled slashes."""
    return os.path.normpath("/" + path.lstrip("/"))
