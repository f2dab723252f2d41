"""Resolving a path inside a tree, one component at a time, by open folders: safe against `..`, links, and changes meanwhile.

The kernel can do it too (openat2 with RESOLVE_IN_ROOT), but not make missing folders on the way, and some seccomp profiles refuse it.
"""

from __future__ import annotations

import errno
import os
import posixpath
from contextlib import contextmanager
from typing import TYPE_CHECKING, NamedTuple

from pipelines.engine.embedded.errors import InvalidInput, NotFound, Unreadable
from pipelines.engine.embedded.store.disk_full import disk_full_errors
from pipelines.foundation.regular_files import NotRegularError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_LINKS = 40  # symbolic links followed in one path, as in the kernel: path_resolution(7)
_FOLDER = os.O_PATH | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC


class NewFolder(NamedTuple):
    """How to make a folder that is missing: its mode, and its owner (uid, gid) if not this process."""

    mode: int = 0o755
    owner: tuple[int, int] | None = None


class PathWalk:
    """A walk from the root of a tree to a path.

    Args:
        root: the tree.
        make: how to make folders that are missing; None: that is an error.

    Attributes:
        fd: the open folder the path lies in.
        name: the path's name there; `.` when the path is that folder.
    """

    def __init__(self, root: Path, make: NewFolder | None = None) -> None:
        self._root = root
        self._make = make
        self._names: list[str] = []
        self.fd = os.open(root, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
        self.name = "."

    def close(self) -> None:
        """Close the open folder."""
        os.close(self.fd)

    def path(self) -> Path:
        """Where the walk has come to, as a path outside that has no links."""
        return self._root.joinpath(*self._names, self.name)

    def is_root(self) -> bool:
        """Whether it has come to the root itself."""
        return not self._names and self.name == "."

    def to(self, rel: str, *, follow: bool, folder: bool = False) -> None:
        """Walk. `follow`: a link at the end is followed. `folder`, or a `.` or `/` at the end: it must be a folder, and is entered."""
        whole = folder or rel.endswith(("/", "/.")) or rel in {"", "."}
        todo = [part for part in reversed(posixpath.normpath("/" + rel).split("/")) if part]
        links = 0
        while todo:
            part = todo.pop()
            last = not todo
            if part == "..":
                self._up()
            elif (target := self._link(part)) is not None and (follow or not last):
                links += 1
                if links > _LINKS:
                    raise OSError(errno.ELOOP, os.strerror(errno.ELOOP))
                if target.startswith("/"):
                    self._restart([])
                whole = whole or (last and target.endswith("/"))
                todo += [name for name in reversed(target.split("/")) if name not in {"", "."}]
            elif last and not whole:
                self.name = part
            else:
                self._enter(part)

    def _link(self, name: str) -> str | None:
        try:
            return os.readlink(name, dir_fd=self.fd)
        except OSError as error:
            if error.errno not in {errno.EINVAL, errno.ENOENT}:
                raise
            return None

    def _enter(self, name: str) -> None:
        try:
            inner = os.open(name, _FOLDER, dir_fd=self.fd)
        except FileNotFoundError:
            if self._make is None:
                raise
            inner = self._made(name, self._make)
        os.close(self.fd)
        self.fd = inner
        self._names.append(name)

    def _made(self, name: str, make: NewFolder) -> int:
        os.mkdir(name, 0o700, dir_fd=self.fd)
        if make.owner is not None:
            os.chown(name, *make.owner, dir_fd=self.fd, follow_symlinks=False)
        os.chmod(name, make.mode, dir_fd=self.fd)
        return os.open(name, _FOLDER, dir_fd=self.fd)

    def _up(self) -> None:
        if self._names:
            self._restart(self._names[:-1])

    def _restart(self, names: list[str]) -> None:
        """Walk from the root again, over folders known to be no links: `..` of the file system itself may lead anywhere by now."""
        os.close(self.fd)
        self._names = []
        self.fd = os.open(self._root, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
        for name in names:
            self._enter(name)


@contextmanager
def path_errors(verb: str, rel: str, root: Path) -> Iterator[None]:
    """Turn the system's errors about a path into ours, worded like Go's: `stat a/b: no such file or directory`."""
    shown = rel.lstrip("/") or "/"
    try:
        with disk_full_errors(root):
            yield
    except (FileNotFoundError, NotADirectoryError) as error:
        raise NotFound(f"{verb} {shown}: {os.strerror(error.errno or 0).lower()}") from error
    except NotRegularError as error:
        raise InvalidInput(f"{verb} {shown}: {_words(error)}") from error
    except OSError as error:
        if error.errno in {errno.EIO, errno.EMFILE, errno.ENFILE, errno.EBUSY, errno.EROFS}:
            raise  # not about the path
        kind = Unreadable if error.errno == errno.EACCES else InvalidInput
        raise kind(f"{verb} {shown}: {os.strerror(error.errno or 0).lower()}") from error
    except ValueError as error:  # a zero byte in the path
        raise InvalidInput(f"{verb} {shown!r}: invalid argument") from error


def _words(error: NotRegularError) -> str:
    """As the system says it of folders and links, which clients know; of all else, what it is."""
    return os.strerror(error.errno).lower() if error.errno in {errno.EISDIR, errno.ELOOP} else str(error.strerror)
