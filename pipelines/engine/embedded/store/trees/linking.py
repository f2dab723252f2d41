"""What did not change since a folder was copied before is not copied again: the new copy shares it with the former one.

Both copies and both sources are layers of the store, which never change. A file of the source that is the same inode as in the former
source is the same file, with all that belongs to it; so is its copy. It is shared as a clone (FICLONE: blocks are shared, the inode is
not) where the file system can, else as a hard link, whose count a container sees. Containers write into layers of their own: overlayfs
copies a file up before it is changed, so nothing is ever written through a link.
"""

from __future__ import annotations

import errno
import fcntl
import os
import posixpath
import stat
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from pipelines.engine.embedded.errors import NotFound
from pipelines.engine.embedded.store.trees.copyfile import copy_metadata
from pipelines.engine.embedded.store.trees.measure import OPAQUE, xattrs
from pipelines.foundation.regular_files import open_regular

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from pipelines.engine.embedded.store.trees.root import Root

_FICLONE = 0x40049409  # ioctl_ficlone(2)
_NO_LINK = frozenset({errno.EMLINK, errno.EPERM, errno.EXDEV, errno.ENOENT})  # EPERM: a file system or a rule of the kernel forbids it
_SPECIAL = stat.S_ISUID | stat.S_ISGID


class FormerCopy(NamedTuple):
    """A copy that was made before, of an earlier state of the same folder.

    Attributes:
        source: the tree that was copied from, a layer of the store.
        copy: the layer that it was copied into.
    """

    source: Root
    copy: Path


@dataclass(frozen=True, slots=True)
class SharedPaths:
    """What a new layer shares with a former copy, by paths relative to its root.

    Attributes:
        folders: folders that only the new layer has. Their mode, owner and times are the former copy's, until the copy sets them.
        files: where each file is in the former copy.
    """

    folders: set[str] = field(default_factory=set)
    files: dict[str, str] = field(default_factory=dict)


class _Folder(NamedTuple):
    """One folder in the new source, the former source, the former copy, and (relative to the root) in the target."""

    source: str
    former: str
    copy: str
    target: str


def unchanged_paths(former: FormerCopy, source: Root, source_path: str, merged: Root, target: str) -> SharedPaths:
    """What a copy of the folder `source_path` into the folder `target` can share with a copy that the same recipe made before,
    on the same file system.

    Only folders that are not there yet are looked at: nothing else has a say in them, and where a file's number of links matters
    (`/etc/cron.d` is an example) the folder is the image's own. Files with set-user-id or set-group-id bits are left out.

    Args:
        former: the copy made before.
        source: the tree that will be copied from, a layer of the store.
        source_path: the folder in it.
        merged: the file system that is copied into, as it is before the copy.
        target: the folder in it.

    Raises:
        NotFound, InvalidInput: `source_path` is not a folder there.
    """
    shared = SharedPaths()
    new = str(source.locate(source_path))
    try:
        old = str(former.source.locate(source_path))
    except NotFound:
        return shared
    top = posixpath.normpath("/" + target).lstrip("/")
    if any(_there(merged, path) is False for path in with_parents(top)):
        return shared
    shared.folders.update(path for path in with_parents(top) if _there(merged, path) is None)
    pending = [_Folder(new, old, os.path.join(former.copy, top), top)]
    while pending:
        folder = pending.pop()
        there = _there(merged, folder.target)
        if there is False:
            continue
        if there is None:
            shared.folders.add(folder.target)
        before, copies = _entries(folder.former), _entries(folder.copy)
        for name, entry in _entries(folder.source).items():
            if name not in before or name not in copies:
                continue
            rel = f"{folder.target}/{name}" if folder.target else name
            if entry.is_dir(follow_symlinks=False):
                pending.append(_Folder(entry.path, before[name].path, copies[name].path, rel))
            elif there is None and entry.inode() == before[name].inode() and copies[name].is_file(follow_symlinks=False):
                shared.files[rel] = copies[name].path
    return shared


def _there(merged: Root, rel: str) -> bool | None:
    """Whether a path is a folder; None when nothing is there. False: something else, and the copy replaces or follows it, or fails."""
    try:
        return stat.S_ISDIR(os.lstat(os.path.join(merged.path, rel)).st_mode)
    except (FileNotFoundError, NotADirectoryError):
        return None


def _entries(folder: str) -> dict[str, os.DirEntry[str]]:
    try:
        with os.scandir(folder) as found:
            return {entry.name: entry for entry in found}
    except (FileNotFoundError, NotADirectoryError):
        return {}


def with_parents(rel: str) -> Iterator[str]:
    """The folders a relative path lies in, outermost first, and the path itself."""
    names = rel.split("/") if rel else []
    return ("/".join(names[:count]) for count in range(1, len(names) + 1))


def share(wanted: SharedPaths, copy: Path, below: Root, upper: Path) -> SharedPaths:
    """Put what can be shared into a new layer.

    Args:
        wanted: see `unchanged_paths`.
        copy: the layer of the former copy.
        below: the file system under the new layer.
        upper: the folder of the new layer, which is not mounted.

    Returns:
        What is there now: less where the file system refuses, or where something was removed before.

    Raises:
        OSError: the disk is full, and such.
    """
    sharing = _Sharing(wanted, copy, below, upper)
    sharing.run()
    return sharing.shared


class _Sharing:
    def __init__(self, wanted: SharedPaths, copy: Path, below: Root, upper: Path) -> None:
        self._wanted = wanted
        self._copy = copy
        self._below = below
        self._upper = upper
        self._clones = True  # worth a try
        self.shared = SharedPaths()

    def run(self) -> None:
        made: dict[str, bool] = {}
        for rel, source in self._wanted.files.items():
            folder = rel.rpartition("/")[0]
            if folder not in made:
                made[folder] = self._folder(folder)
            if made[folder] and self._file(source, os.path.join(self._upper, rel)):
                self.shared.files[rel] = source

    def _folder(self, folder: str) -> bool:
        """Have a folder in the upper layer, with those it lies in; False where a whiteout has its name.

        A new folder has the attributes of the former copy's, with the mark that overlayfs gave it there; one that the file system below
        has, has those of the folder below, as if it had been copied up.
        """
        for path in with_parents(folder):
            target = os.path.join(self._upper, path)
            try:
                os.mkdir(target, 0o700)
            except FileExistsError:
                if os.path.islink(target) or not os.path.isdir(target):
                    return False
                continue
            new = path in self._wanted.folders
            source = os.path.join(self._copy if new else self._below.path, path)
            copy_metadata(source, target, os.lstat(source))
            if new:
                self.shared.folders.add(path)
                for mark in (name for name in xattrs(source) if name in OPAQUE):
                    os.setxattr(target, mark, os.getxattr(source, mark))
        return True

    def _file(self, source: str, target: str) -> bool:
        """Have the file at `target`, too; False, with nothing made, where it is to be copied."""
        info = os.lstat(source)
        if info.st_mode & _SPECIAL:
            return False
        if self._clones and _cloned(source, target, info):
            return True
        self._clones = False
        try:
            os.link(source, target, follow_symlinks=False)
        except OSError as error:
            if error.errno not in _NO_LINK:
                raise
            return False
        return True


def _cloned(source: str, target: str, info: os.stat_result) -> bool:
    """Make a clone of a file; False, with nothing made, where the file system has none."""
    reader = open_regular(source)
    try:
        writer = open_regular(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        try:
            fcntl.ioctl(writer, _FICLONE, reader)
        except OSError:
            os.unlink(target)
            return False
        finally:
            os.close(writer)
    finally:
        os.close(reader)
    copy_metadata(source, target, info)
    return True
