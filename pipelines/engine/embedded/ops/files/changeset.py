"""Changesets: what became of one directory in another, what was removed included."""

from __future__ import annotations

import posixpath
import stat
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from pipelines.engine.embedded.ops.files.actions import Action
from pipelines.engine.embedded.ops.files.diff import DiffOp
from pipelines.engine.embedded.ops.files.read import within_all
from pipelines.engine.embedded.ops.values.states import DirectoryState

if TYPE_CHECKING:
    import os
    from collections.abc import Sequence

    from pipelines.engine.embedded.ops.interface import ClientSession
    from pipelines.engine.embedded.ops.values.op import Op
    from pipelines.engine.embedded.store.snapshot import Snapshot
    from pipelines.engine.embedded.store.trees.root import Root


@dataclass(frozen=True, slots=True)
class Changeset:
    """The changes that make `before` into `after`."""

    before: DirectoryState
    after: DirectoryState

    def layer(self) -> DirectoryState:
        """What was added or modified."""
        return DirectoryState(DiffOp(self.before, self.after))


@dataclass(frozen=True, slots=True)
class ChangedPaths:
    """What changed, sorted; directories have a slash at the end.

    Attributes:
        added: everything that is new, also what is in new directories.
        modified: files with other content, type or mode.
        removed: what is gone; of a directory that is gone, only itself.
    """

    added: list[str]
    modified: list[str]
    removed: list[str]

    def any(self) -> bool:
        """Whether anything changed."""
        return bool(self.added or self.modified or self.removed)


async def paths(session: ClientSession, changes: Changeset) -> ChangedPaths:
    """What changed."""
    return await within_all(
        session, [changes.before.op, changes.after.op], lambda roots: compare(roots[0], changes.before.path, roots[1], changes.after.path)
    )


def compare(old: Root, old_path: str, new: Root, new_path: str) -> ChangedPaths:
    """What changed from one tree to the other."""
    before, after = (_listed(root, path) for root, path in ((old, old_path), (new, new_path)))
    bases = str(old.locate(old_path)), str(new.locate(new_path))
    both = before.keys() & after.keys()
    swapped = {rel for rel in both if stat.S_ISDIR(before[rel].st_mode) != stat.S_ISDIR(after[rel].st_mode)}
    modified = [rel for rel in sorted(both - swapped) if _modified(bases, rel, before[rel], after[rel])]
    gone = (before.keys() - after.keys()) | swapped
    removed = [rel for rel in gone if not any(parent in gone for parent in _parents(rel))]
    return ChangedPaths(_named((after.keys() - before.keys()) | swapped, after), modified, _named(removed, before))


def _listed(root: Root, path: str) -> dict[str, os.stat_result]:
    root.listdir(path)  # raises the error when it is not a directory
    return dict(root.walk(path))


def _modified(bases: tuple[str, str], rel: str, before: os.stat_result, after: os.stat_result) -> bool:
    from pipelines.engine.embedded.store.trees.compare import same_content

    if stat.S_ISDIR(after.st_mode):
        return False
    return before.st_mode != after.st_mode or not same_content(f"{bases[0]}/{rel}", before, f"{bases[1]}/{rel}", after)


def _parents(rel: str) -> list[str]:
    parts = rel.split("/")
    return ["/".join(parts[:count]) for count in range(1, len(parts))]


def _named(found: Any, facts: dict[str, os.stat_result]) -> list[str]:
    return sorted(f"{rel}/" if stat.S_ISDIR(facts[rel].st_mode) else rel for rel in found)


@dataclass(frozen=True)
class ApplyChanges(Action):
    """Changes done to the directory `path`: what they remove is removed, what they add or modify is copied over."""

    name: ClassVar[str] = "changes"
    path: str
    changes: Changeset

    @property
    def sources(self) -> tuple[Op, ...]:  # type: ignore[override]
        return (self.changes.before.op, self.changes.after.op, self.changes.layer().op)

    def recipe(self) -> Any:
        return [self.path, self.changes.before.path, self.changes.after.path]

    async def key(self, session: ClientSession, sources: Sequence[Snapshot]) -> Any:
        contents = [
            await session.content(snapshot, one.path)
            for snapshot, one in zip(sources, (self.changes.before, self.changes.after), strict=False)
        ]
        return [self.path, contents]

    def apply(self, root: Root, sources: Sequence[Root], /) -> None:
        from pipelines.engine.embedded.store.trees.copy import copy_tree

        before, after, layer = sources
        root.mkdirs(self.path)
        for rel in compare(before, self.changes.before.path, after, self.changes.after.path).removed:
            root.remove_tree(posixpath.join(self.path, rel.rstrip("/")))
        copy_tree(layer, "/", root, self.path)
