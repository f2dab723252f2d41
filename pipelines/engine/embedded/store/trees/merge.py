"""Copies as BuildKit makes them for COPY and ADD: into a folder that is there, or to one path.

Rule: fsutil's `copy` package as BuildKit calls it. The folder that is copied into keeps its mode and owner; folders inside it take those of
the source; a folder never replaces a file or a link, a file never replaces a folder.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from pipelines.engine.embedded.store.selection.patterns import Filter
from pipelines.engine.embedded.store.selection.select import SelectedPath, select
from pipelines.engine.embedded.store.trees.copy import Occupied, Permissions, TreeWriter
from pipelines.engine.embedded.store.trees.pathwalk import path_errors

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from pipelines.engine.embedded.store.trees.linking import SharedPaths
    from pipelines.engine.embedded.store.trees.root import Root

Ids = tuple[int, int]


def merge_folder(
    src: Root,
    src_rel: str,
    dst: Root,
    dst_rel: str,
    *,
    include: Sequence[str] = (),
    exclude: Sequence[str] = (),
    owner: Ids | None = None,
    permissions: Permissions = None,
    shared: SharedPaths | None = None,
) -> int:
    """Copy what is in the folder `src_rel` into the folder `dst_rel`, which exists.

    Args: as `copy_tree`; `permissions` may be a function of the source's st_mode.

    Returns:
        How many paths were copied.

    Raises:
        InvalidInput: a folder would replace something else, or the other way round; a pattern is malformed.
    """
    with path_errors("copy", src_rel, dst.path):
        writer = TreeWriter(dst, owner, permissions, Occupied.REFUSE, shared=shared)
        writer.folders[""] = str(dst.locate(dst_rel))
        counted = _Counted(select(str(src.locate(src_rel)), Filter(include, exclude)))
        writer.copy(counted)
    return counted.count


def merge_file(src: Root, src_rel: str, dst: Root, target: str, *, owner: Ids | None = None, permissions: Permissions = None) -> None:
    """Copy the file `src_rel` (a link is followed) to `target`, a path outside as `Root.locate` gives it; its folder exists.

    Raises:
        InvalidInput: a folder is there.
    """
    with path_errors("copy", src_rel, dst.path):
        folder, name = os.path.split(target)
        writer = TreeWriter(dst, owner, permissions, Occupied.REFUSE)
        writer.folders[""] = folder
        writer.copy([SelectedPath(name, str(src.locate(src_rel)), src.stat(src_rel))])


def overlay(upper: Root, dst: Root) -> None:
    """Put the tree `upper` over the tree `dst`, as a layer lies over another: its folders bring their mode and owner, a folder replaces a
    link. The root itself stays as it is.
    """
    with path_errors("copy", "/", dst.path):
        writer = TreeWriter(dst, None, None, Occupied.REPLACE)
        writer.folders[""] = str(dst.path)
        writer.copy(select(str(upper.path), Filter()))


class _Counted:
    """Counts what passes."""

    def __init__(self, found: Iterator[SelectedPath]) -> None:
        self._found = found
        self.count = 0

    def __iter__(self) -> Iterator[SelectedPath]:
        for one in self._found:
            self.count += 1
            yield one
