"""Copies between trees: folders with filters, single files, changes.

What is copied keeps mode, owner, times, extended attributes and hard links among itself, unless something else is asked for. A folder
copied onto a folder merges with it; anything else replaces what has its name. Links in the target to folders are followed, within its root.
"""

from __future__ import annotations

import errno
import os
import posixpath
import stat
from collections.abc import Callable
from enum import Enum
from typing import TYPE_CHECKING, Literal

from pipelines.engine.embedded.errors import InvalidInput, NotFound
from pipelines.engine.embedded.store.selection.patterns import Filter
from pipelines.engine.embedded.store.selection.select import SelectedPath, select
from pipelines.engine.embedded.store.trees.compare import changes
from pipelines.engine.embedded.store.trees.copyfile import MetadataChange, copy_entry, copy_metadata, link_or_copy
from pipelines.engine.embedded.store.trees.linking import SharedPaths
from pipelines.engine.embedded.store.trees.pathwalk import path_errors
from pipelines.engine.embedded.store.trees.removing import remove_below

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from pipelines.engine.embedded.store.trees.root import Root

Owner = tuple[int, int] | Literal["caller"] | None
Permissions = int | Callable[[int], int] | None  # see `MetadataChange.mode`


class Occupied(Enum):
    """What to do where the target has something of another kind by the same name.

    FOLLOW: a link to a folder is followed, anything else replaced. REPLACE: links are replaced, too. REFUSE: a folder is not put in the
    place of anything, nor anything in the place of a folder: InvalidInput.
    """

    FOLLOW = "follow"
    REPLACE = "replace"
    REFUSE = "refuse"


def copy_tree(
    src: Root,
    src_rel: str,
    dst: Root,
    dst_rel: str,
    *,
    include: Sequence[str] = (),
    exclude: Sequence[str] = (),
    gitignore: bool = False,
    owner: Owner = None,
    permissions: int | None = None,
    special: bool = True,
    shared: SharedPaths | None = None,
) -> None:
    """Copy what is in the folder `src_rel` into the folder `dst_rel`, which is made (with its parents, 0755) when missing.

    Args:
        src: the tree to read.
        src_rel: the folder there.
        dst: the tree to write.
        dst_rel: the folder there. If it exists already, it keeps its own mode and owner unless one is given.
        include: patterns of paths to copy; empty: all.
        exclude: patterns of paths to leave out.
        gitignore: leave out what `.gitignore` files in `src` say, those above the folder included.
        owner: (uid, gid) for every copy; "caller": this process's, for copies out to the host: links of the target are replaced, not
            followed, devices are left out, set-user-id and set-group-id bits and extended attributes are dropped.
        permissions: mode for every copy, folders too.
        special: whether devices, pipes and sockets are made in the copy, too.
        shared: what of the copy is in the target already.

    Raises:
        NotFound: no such folder.
        InvalidInput: it is not a folder, or a pattern is malformed.
        DiskFull: part of it was copied.
    """
    base = str(src.locate(src_rel))
    info = src.stat(src_rel)
    if not stat.S_ISDIR(info.st_mode):
        raise InvalidInput(f"copy {src_rel.lstrip('/')}: not a directory")
    filters = Filter(include, exclude)
    ignore, prefix = None, ""
    if gitignore:
        from pipelines.engine.embedded.store.selection.gitignore import IgnoreRules

        ignore, prefix = IgnoreRules.within(str(src.path), base)
    writer = TreeWriter(dst, owner, permissions, special=special, shared=shared)
    with path_errors("copy", src_rel, dst.path):
        writer.start(SelectedPath("", base, info), dst_rel)
        writer.copy(select(base, filters, ignore, prefix))


def copy_file(src: Root, src_rel: str, dst: Root, dst_rel: str, *, owner: Owner = None, permissions: int | None = None) -> None:
    """Copy the file `src_rel` (a link is followed) to the path `dst_rel`, or into it when it is a folder; missing folders are made (0755).

    Args, Raises: as `copy_tree`; InvalidInput when the source is a folder.
    """
    info = src.stat(src_rel)
    if stat.S_ISDIR(info.st_mode):
        raise InvalidInput(f'source path "{src_rel.lstrip("/")}" is a directory')
    if _is_folder(dst, dst_rel):
        dst_rel = posixpath.join(dst_rel, posixpath.basename(posixpath.normpath(src_rel)))
    folder, name = posixpath.split(posixpath.normpath("/" + dst_rel))
    writer = TreeWriter(dst, owner, permissions)
    with path_errors("copy", src_rel, dst.path):
        dst.mkdirs(folder)
        writer.folders[""] = str(dst.locate(folder))
        writer.copy([SelectedPath(name, str(src.locate(src_rel)), info)])


def copy_changes(old: Root, old_rel: str, new: Root, new_rel: str, target: Root) -> None:
    """Copy into the root of `target` what the folder `new_rel` has and the folder `old_rel` has not, or has otherwise (times aside)."""
    writer = TreeWriter(target, None, None)
    with path_errors("diff", new_rel, target.path):
        writer.folders[""] = str(target.path)
        writer.copy(changes(str(old.locate(old_rel)), str(new.locate(new_rel))))


class TreeWriter:
    """Writes selected paths below one folder of a tree.

    Attributes:
        folders: where the folders copied so far went, by their relative path.
    """

    def __init__(
        self,
        dst: Root,
        owner: Owner,
        permissions: Permissions,
        occupied: Occupied = Occupied.FOLLOW,
        *,
        special: bool = True,
        shared: SharedPaths | None = None,
    ) -> None:
        self._dst = dst
        self._root_prefix = f"{str(dst.path).rstrip('/')}/"
        self._outward = owner == "caller"
        self._special = special and not self._outward
        self._occupied = Occupied.REPLACE if self._outward else occupied
        self._change = (
            MetadataChange(owner, permissions)
            if owner != "caller"
            else MetadataChange((os.getuid(), os.getgid()), permissions, xattrs=False, bits=0o1777)
        )
        self._links: dict[tuple[int, int], str] = {}
        self._fresh: set[str] = set()
        self._shared = shared or SharedPaths()
        self._done: list[tuple[SelectedPath, str]] = []
        self.folders: dict[str, str] = {}

    def start(self, base: SelectedPath, rel: str) -> None:
        """Have the folder `rel`: a new one becomes like `base`, one that is there is changed only as far as asked."""
        there = _is_folder(self._dst, rel)
        if not there:
            self._dst.remove_tree(rel)
            self._dst.mkdirs(rel)
        elif posixpath.normpath("/" + rel).lstrip("/") in self._shared.folders:
            there = False
        path = str(self._dst.locate(rel))
        self.folders[""] = path
        if not there:
            self._fresh.add(path)
            self._done.append((base, path))
        elif not self._outward and posixpath.normpath("/" + rel) != "/":
            self._change.apply(path)

    def copy(self, selected: Iterable[SelectedPath]) -> None:
        """Copy, in order; folders get their mode, owner and times last, as writing into them needs the one and changes the other."""
        for found in selected:
            folder, _, name = found.rel.rpartition("/")
            if found.is_folder():
                self._folder(found, self.folders[folder], name)
            else:
                self._file(found, self.folders[folder], name)
        for found, path in reversed(self._done):
            copy_metadata(found.path, path, found.info, self._change)

    def _folder(self, found: SelectedPath, parent: str, name: str) -> None:
        path = os.path.join(parent, name)
        if self._relative(path) in self._shared.folders:
            self._fresh.add(path)
        elif parent in self._fresh or not (path := self._existing(path)):
            path = os.path.join(parent, name)
            os.mkdir(path, 0o700)
            self._fresh.add(path)
        elif found.implied and self._occupied is Occupied.REFUSE:  # as BuildKit: it takes the mode alone
            os.chmod(path, stat.S_IMODE(found.info.st_mode))
            self.folders[found.rel] = path
            return
        self.folders[found.rel] = path
        self._done.append((found, path))

    def _relative(self, path: str) -> str:
        return path[len(self._root_prefix) :]

    def _existing(self, path: str) -> str:
        """The folder at `path`, or the one a link there leads to; "" after removing what else was there."""
        try:
            mode = os.lstat(path).st_mode
        except FileNotFoundError:
            return ""
        if stat.S_ISDIR(mode):
            return path
        rel = os.path.relpath(path, self._dst.path)
        if self._occupied is Occupied.REFUSE:
            raise InvalidInput(f"cannot copy to non-directory: /{rel}")
        if stat.S_ISLNK(mode) and self._occupied is Occupied.FOLLOW and _is_folder(self._dst, rel):
            return str(self._dst.locate(rel))
        self._refuse_special(path, mode)
        os.unlink(path)
        return ""

    def _file(self, found: SelectedPath, parent: str, name: str) -> None:
        path = os.path.join(parent, name)
        info = found.info
        if not self._special and not (stat.S_ISREG(info.st_mode) or stat.S_ISLNK(info.st_mode)):
            return
        inode = (info.st_dev, info.st_ino)
        if self._relative(path) in self._shared.files:
            self._links.setdefault(inode, path)
            return
        if parent not in self._fresh:
            self._make_room(path)
        if info.st_nlink > 1 and (first := self._links.get(inode)) is not None:
            link_or_copy(first, path)
            return
        try:
            copy_entry(found.path, path, info, self._change)
        except PermissionError as error:
            if error.errno != errno.EPERM or not (stat.S_ISCHR(info.st_mode) or stat.S_ISBLK(info.st_mode)):
                raise
            return  # a device, and no privilege to make one
        if info.st_nlink > 1:
            self._links[inode] = path

    def _make_room(self, path: str) -> None:
        """Remove what has the name of a copy."""
        try:
            mode = os.lstat(path).st_mode
        except FileNotFoundError:
            return
        if not stat.S_ISDIR(mode):
            self._refuse_special(path, mode)
            os.unlink(path)
            return
        if self._occupied is Occupied.REFUSE:
            raise InvalidInput(f"cannot replace to directory /{os.path.relpath(path, self._dst.path)} with file")
        remove_below(path)
        os.rmdir(path)

    def _refuse_special(self, path: str, mode: int) -> None:
        """A device, pipe or socket of the host is nothing that an export replaces: a machine may not work without it."""
        if self._outward and not (stat.S_ISREG(mode) or stat.S_ISLNK(mode)):
            raise InvalidInput(f"export to {path}: a device, pipe or socket has this name, and is not replaced: remove it first")


def _is_folder(root: Root, rel: str) -> bool:
    try:
        return stat.S_ISDIR(root.stat(rel).st_mode)
    except NotFound:
        return False
