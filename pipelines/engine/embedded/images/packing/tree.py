"""Where the members of a layer go: paths inside a folder that no name and no symbolic link leads out of.

The folder is new and nobody else writes to it, so looking first and acting then is safe.
"""

from __future__ import annotations

import os
import posixpath
import stat
from typing import TYPE_CHECKING

from pipelines.engine.embedded.store.trees.measure import is_whiteout
from pipelines.engine.embedded.store.trees.removing import remove_below
from pipelines.engine.embedded.tars import Damaged, shown

if TYPE_CHECKING:
    from collections.abc import Callable

NOTHING = ".wh."  # below a whiteout: a name that no layer has, so that nothing is found under it
LINKS = 255  # symbolic links followed in one path; Linux stops at 40


class LayerTree:
    """A layer being unpacked.

    Args:
        root: its folder.
        uncovered: called with a folder that takes the place of a whiteout.

    Attributes:
        root: its folder.
        implied: folders made only because something is in them; the layers below say who owns them.
    """

    def __init__(self, root: str, uncovered: Callable[[str], None]) -> None:
        self.root = root
        self._uncovered = uncovered
        self.implied: dict[str, int] = {}
        self._folders = {"": root}
        self._straights: dict[str, bool] = {}

    def place(self, name: str, mtime: int) -> tuple[str, str]:
        """The folder (made, if missing, at ``mtime`` nanoseconds) and the last part of a member's name; both empty for the root itself."""
        clean = posixpath.normpath("/" + name).lstrip("/")
        if not clean:
            return "", ""
        parent, base = posixpath.split(clean)
        return self.folder(parent, mtime), base

    def folder(self, name: str, mtime: int) -> str:
        """The path of a folder, links on the way resolved inside the tree."""
        known, missing = self._known(name)
        path = self._folders[known]
        for part in missing:
            path = self._resolve(path, part, mtime, make=True)
            known = f"{known}/{part}" if known else part
            self._folders[known] = path
        return path

    def _known(self, name: str) -> tuple[str, list[str]]:
        """How much of a folder's name was resolved before, and the parts after it: a deep tree costs each of its folders once."""
        known, missing = name, list[str]()
        while known not in self._folders:
            known, _, part = known.rpartition("/")
            missing.append(part)
        return known, missing[::-1]

    def find(self, name: str) -> tuple[str, bool]:
        """The path of a member unpacked before, links resolved but for the last part, and whether it is there."""
        parent, base = posixpath.split(posixpath.normpath("/" + name).lstrip("/"))
        known, missing = self._known(parent)
        path = posixpath.join(self._resolve(self._folders[known], "/".join(missing), 0, make=False), base)
        try:
            if not is_whiteout(os.lstat(path)):
                return path, True
        except FileNotFoundError:
            return path, False
        except NotADirectoryError:
            pass
        return f"{path}/{NOTHING}", False

    def relative(self, path: str) -> str:
        """The name inside the layer of a path of this machine."""
        return path[len(self.root) :].lstrip("/")

    def _resolve(self, path: str, name: str, mtime: int, *, make: bool) -> str:
        """Where `name`, seen from the folder `path` of the tree, leads."""
        todo, links = [part for part in name.split("/") if part], 0
        while todo:
            part = todo.pop(0)
            if part == "..":
                path = path if path == self.root else posixpath.dirname(path)
                continue
            if part == ".":
                continue
            step = f"{path}/{part}"
            target = self._link(step)
            if target is None:
                path = self._step(step, mtime, make=make)
                continue
            links += 1
            if links > LINKS:
                raise Damaged(f"{shown(name)}: too many levels of symbolic links")
            path = self.root if target.startswith("/") else path
            todo = [piece for piece in target.split("/") if piece] + todo
        return path

    def _link(self, path: str) -> str | None:
        try:
            return os.readlink(path)
        except OSError:
            return None

    def _step(self, path: str, mtime: int, *, make: bool) -> str:
        """One folder further; ``make`` it where this layer has none."""
        try:
            info = os.lstat(path)
        except FileNotFoundError:
            if make:
                self._imply(path, mtime)
            return path
        except NotADirectoryError:  # below a whiteout
            return path
        if stat.S_ISDIR(info.st_mode):
            return path
        if not is_whiteout(info):
            raise Damaged(f"{shown(self.relative(path))}: is not a folder, but has something in it")
        if make:
            os.unlink(path)
            self._imply(path, mtime)
            self._uncovered(path)
            return path
        return f"{path}/{NOTHING}"

    def _imply(self, path: str, mtime: int) -> None:
        os.mkdir(path, 0o755)
        self.implied[self.relative(path)] = mtime

    def remove(self, path: str) -> None:
        """Remove what has a member's name, whatever it is."""
        if stat.S_ISDIR(os.lstat(path).st_mode):
            remove_below(path)
            os.rmdir(path)
        else:
            os.unlink(path)
        self._folders = {"": self.root}  # a folder has gone, or a link that paths led through

    def drop_replaced(self) -> None:
        """Forget what was made and removed again. Once, at the end: a layer may replace very often."""
        self.implied = {name: mtime for name, mtime in self.implied.items() if self.is_folder(f"{self.root}/{name}")}

    def is_folder(self, path: str) -> bool:
        """Whether a folder is there."""
        info = self.look(path)
        return info is not None and stat.S_ISDIR(info.st_mode)

    def look(self, path: str) -> os.stat_result | None:
        """What is at a path of this tree at the end; None where nothing is, or where a link has come into the way, which may lead out."""
        try:
            return os.lstat(path) if self._straight(posixpath.dirname(path)) else None
        except (FileNotFoundError, NotADirectoryError):
            return None

    def _straight(self, folder: str) -> bool:
        """Whether no part of a folder's path below the root is a link."""
        unknown, known = list[str](), folder
        while known != self.root and known not in self._straights:
            unknown.append(known)
            known = posixpath.dirname(known)
        straight = self._straights.get(known, True)
        for one in reversed(unknown):
            straight = straight and not os.path.islink(one)
            self._straights[one] = straight
        return straight
