"""Root: a folder that acts as `/`. No path given to it, and no symbolic link inside it, leads out of it."""

from __future__ import annotations

import errno
import os
import posixpath
import shutil
import stat
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from pipelines.engine.embedded.errors import EngineError, InvalidInput, NotFound
from pipelines.engine.embedded.store.trees.pathwalk import NewFolder, PathWalk, path_errors
from pipelines.engine.embedded.store.trees.removing import remove_below
from pipelines.foundation.regular_files import NotRegularError, open_regular, reading

if TYPE_CHECKING:
    from collections.abc import Iterator

_BLOCK = 1 << 20  # bytes
LARGEST = 1 << 30
"""Bytes of a file that is read into memory as a whole."""


class Root:
    """A tree to read and write by paths as a process inside it would use them: `..` stops at the root, links are followed within it.

    Errors name the path as given, without its leading slash: `NotFound` for what is not there (or lies below a file), `InvalidInput` for
    what cannot be (a folder to be read as a file, a name too long), `DiskFull`.

    Args:
        path: the folder; must exist.
    """

    def __init__(self, path: Path | str) -> None:
        self.path = Path(path)

    @contextmanager
    def _at(self, verb: str, rel: str, *, follow: bool = True, make: NewFolder | None = None) -> Iterator[PathWalk]:
        """The folder `rel` lies in, opened, and its name there. `make`: missing folders on the way are made so."""
        with path_errors(verb, rel, self.path):
            walk = PathWalk(self.path, make)
            try:
                walk.to(rel, follow=follow)
                yield walk
            finally:
                walk.close()

    def stat(self, rel: str, *, follow: bool = True) -> os.stat_result:
        """Facts about a path; `follow`: about what a symbolic link leads to."""
        with self._at("stat", rel, follow=follow) as at:
            return os.stat(at.name, dir_fd=at.fd, follow_symlinks=False)

    def locate(self, rel: str, *, follow: bool = True, make: NewFolder | None = None) -> Path:
        """The path outside, links resolved: valid while nobody changes the tree. It need not exist, its folder must, or is made."""
        with self._at("stat", rel, follow=follow, make=make) as at:
            return at.path()

    def open(self, rel: str) -> BinaryIO:
        """A regular file to read. InvalidInput when it is a folder, a device, a pipe or a socket."""
        with self._at("open", rel) as at:
            try:
                return os.fdopen(open_regular(at.name, dir_fd=at.fd), "rb")
            except NotRegularError as error:
                if error.errno != errno.EISDIR:
                    raise
                raise InvalidInput(f"read {rel.lstrip('/') or '/'}: is a directory") from error  # a folder can be opened, but not read

    def read(self, rel: str, *, limit: int = LARGEST) -> bytes:
        """All bytes of a file. InvalidInput when they are more than `limit`: a file without data may claim any size."""
        with path_errors("read", rel, self.path), self.open(rel) as file:
            size = os.fstat(file.fileno()).st_size
            if size > limit:
                raise InvalidInput(f"file {rel.lstrip('/')} has {size} bytes, more than the {limit} that are read at once")
            return file.read()

    def readlink(self, rel: str) -> str:
        """Where a symbolic link points, as it says."""
        with self._at("readlink", rel, follow=False) as at:
            return os.readlink(at.name, dir_fd=at.fd)

    def listdir(self, rel: str = "/") -> list[str]:
        """Names in a folder, sorted by their bytes."""
        fd = self._open_folder(rel)
        try:
            return sorted(os.listdir(fd), key=os.fsencode)
        finally:
            os.close(fd)

    def entries(self, rel: str = "/") -> list[str]:
        """Names in a folder, sorted by their bytes; those of folders end with a slash."""
        fd = self._open_folder(rel)
        try:
            with os.scandir(fd) as found:
                listed = sorted(found, key=lambda entry: os.fsencode(entry.name))
                return [entry.name + "/" if entry.is_dir(follow_symlinks=False) else entry.name for entry in listed]
        finally:
            os.close(fd)

    def _open_folder(self, rel: str) -> int:
        with self._at("open", rel) as at:
            return os.open(at.name, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=at.fd)

    def mkdirs(self, rel: str, mode: int = 0o755, uid: int | None = None, gid: int | None = None) -> None:
        """Make a folder and those it lies in, where missing; only new ones get the mode and the owner."""
        owner = None if uid is None or gid is None else (uid, gid)
        with path_errors("mkdir", rel, self.path):
            walk = PathWalk(self.path, NewFolder(mode, owner))
            try:
                walk.to(rel, follow=True, folder=True)
            finally:
                walk.close()

    def write(self, rel: str, data: bytes, mode: int = 0o644, uid: int | None = None, gid: int | None = None) -> None:
        """Write a file, in place of what it held; a new one gets the mode. Missing folders are made (0755)."""
        with self._at("open", rel, make=NewFolder()) as at:
            fd, new = _create(at)
            with os.fdopen(fd, "wb", buffering=0) as file:
                if uid is not None and gid is not None:
                    os.fchown(fd, uid, gid)
                if new:
                    os.fchmod(fd, mode)
                view = memoryview(data)
                while view:
                    view = view[file.write(view) or 0 :]

    def write_from(self, rel: str, source: Path) -> None:
        """Write a file with the content of another one of this machine (0644), block by block. Missing folders are made (0755)."""
        with reading(source) as content, self._at("open", rel, make=NewFolder()) as at:
            fd, new = _create(at)
            with os.fdopen(fd, "wb") as file:
                if new:
                    os.fchmod(fd, 0o644)
                shutil.copyfileobj(content, file, _BLOCK)

    def symlink(self, target: str, rel: str) -> None:
        """Make a symbolic link. InvalidInput when something has its name. Missing folders are made (0755)."""
        with self._at("symlink", rel, follow=False, make=NewFolder()) as at:
            os.symlink(target, at.name, dir_fd=at.fd)

    def remove_tree(self, rel: str) -> bool:
        """Remove a file, a link (not what it leads to) or a folder; of the root itself, what is in it. Whether there was something."""
        try:
            with self._at("remove", rel, follow=False) as at:
                return _remove(str(at.path()), is_root=at.is_root())
        except NotFound:
            return False

    def remove_file(self, rel: str) -> bool:
        """Remove what is not a folder (a link, not what it leads to), if it is there. False for a folder, which stays."""
        try:
            with self._at("remove", rel, follow=False) as at:
                if at.is_root() or stat.S_ISDIR(os.stat(at.name, dir_fd=at.fd, follow_symlinks=False).st_mode):
                    return False
                os.unlink(at.name, dir_fd=at.fd)
        except NotFound:
            pass
        return True

    def chown(self, rel: str, uid: int, gid: int, *, recursive: bool = False) -> None:
        """Give a path, and with `recursive` everything below it, an owner; of links, the links themselves."""
        with path_errors("chown", rel, self.path):
            for path, _ in self._trees(rel, recursive=recursive):
                os.chown(path, uid, gid, follow_symlinks=False)

    def set_times(self, rel: str, seconds: int) -> None:
        """Give a path and everything below it one time of change and access, in seconds since 1970."""
        with path_errors("utime", rel, self.path):
            for path, _ in reversed(list(self._trees(rel, recursive=True))):
                os.utime(path, (seconds, seconds), follow_symlinks=False)

    def walk(self, rel: str = "/") -> Iterator[tuple[str, os.stat_result]]:
        """Everything below a folder, by paths relative to it: folders before what is in them, sorted by the names' bytes."""
        base = self.locate(rel)
        skip = len(str(base).rstrip("/")) + 1
        with path_errors("walk", rel, self.path):
            yield from ((path[skip:], info) for path, info in _below(str(base)))

    def _trees(self, rel: str, *, recursive: bool) -> Iterator[tuple[str, os.stat_result]]:
        base = self.locate(rel)
        info = base.lstat()
        yield str(base), info
        if recursive and stat.S_ISDIR(info.st_mode):
            yield from _below(str(base))

    def matching(self, pattern: str) -> list[str]:
        """Paths that match: `*`, `?` and `[…]` within names, never across `/`. A path without `*` is returned as it is, there or not."""
        if "*" not in pattern:
            return [pattern]
        from pipelines.engine.embedded.store.selection.patterns import name_pattern

        found = ["/"]
        for part in [part for part in posixpath.normpath(pattern).split("/") if part]:
            if "*" in part:
                fits = name_pattern(part)
                found = [posixpath.join(path, name) for path in found for name in self._names(path) if fits(name)]
            else:
                found = [posixpath.join(path, part) for path in found]
        return [path for path in found if self._there(path)]

    def _names(self, rel: str) -> list[str]:
        try:
            return self.listdir(rel)
        except EngineError:
            return []

    def _there(self, rel: str) -> bool:
        try:
            self.stat(rel, follow=False)
        except NotFound:
            return False
        return True


def _create(at: PathWalk) -> tuple[int, bool]:
    """The file open for writing and empty; whether it is new."""
    try:
        return open_regular(at.name, os.O_WRONLY | os.O_TRUNC, dir_fd=at.fd), False
    except FileNotFoundError:
        return open_regular(at.name, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600, dir_fd=at.fd), True


def _remove(path: str, *, is_root: bool) -> bool:
    if not stat.S_ISDIR(os.lstat(path).st_mode):
        os.unlink(path)
        return True
    found = remove_below(path)
    if not is_root:
        os.rmdir(path)
    return found or not is_root


def _below(base: str) -> Iterator[tuple[str, os.stat_result]]:
    pending = [_listed(base)]
    while pending:
        entry = next(pending[-1], None)
        if entry is None:
            pending.pop()
            continue
        info = entry.stat(follow_symlinks=False)
        yield entry.path, info
        if stat.S_ISDIR(info.st_mode):
            pending.append(_listed(entry.path))


def _listed(folder: str) -> Iterator[os.DirEntry[str]]:
    with os.scandir(folder) as found:
        return iter(sorted(found, key=lambda entry: os.fsencode(entry.name)))
