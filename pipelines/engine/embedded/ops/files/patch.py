"""Patches: made of changesets, applied to directories; by git."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar

from pipelines.engine.embedded.errors import InvalidInput, ToolError
from pipelines.engine.embedded.ops.files.actions import Action, SourceAction
from pipelines.engine.embedded.ops.files.diff import DiffOp
from pipelines.engine.embedded.ops.files.git_tool import run_git
from pipelines.engine.embedded.ops.interface import ComputedOp
from pipelines.engine.embedded.ops.tasks import in_thread
from pipelines.engine.embedded.ops.values.digest import digest_of
from pipelines.engine.embedded.ops.values.op import OpOutput
from pipelines.engine.embedded.store.snapshot import SCRATCH

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from pipelines.engine.embedded.ops.files.changeset import Changeset
    from pipelines.engine.embedded.ops.interface import ClientSession
    from pipelines.engine.embedded.store.snapshot import Snapshot
    from pipelines.engine.embedded.store.trees.root import Root

NAME = "diff.patch"
DIFFERENT = 1  # what `git diff --no-index` ends with when there are differences
COMPLAINT = 400  # characters of git's last message that an error quotes
DIFF = ("diff", "--no-index", "--no-prefix", "--binary", "--find-renames", "a", "b")


class PatchOp(ComputedOp):
    """A changeset as one file, `/diff.patch`. `inputs`: what the old directory has otherwise, and what the new one has."""

    kind = "patch"
    __slots__ = ()

    def __init__(self, changes: Changeset) -> None:
        super().__init__([], [DiffOp(changes.after, changes.before), DiffOp(changes.before, changes.after)])

    async def key(self, session: ClientSession, inputs: Sequence[OpOutput]) -> str:  # noqa: ARG002 - the inputs' content says all
        return digest_of(self.kind, [output.snapshot.id for output in inputs])

    async def run(self, session: ClientSession, inputs: Sequence[OpOutput], key: str) -> OpOutput:
        return OpOutput(await in_thread(self._write, session, [output.snapshot for output in inputs], key))

    def _write(self, session: ClientSession, snapshots: Sequence[Snapshot], key: str) -> Snapshot:
        from pipelines.engine.embedded.store.trees.root import Root

        trees, result = session.store.draft(SCRATCH), session.store.draft(SCRATCH)
        try:
            Root(result.mount()).write(f"/{NAME}", _difference(session, trees.mount(), snapshots))
            return result.commit(key)
        except BaseException:
            result.discard()
            raise
        finally:
            trees.discard()


def _difference(session: ClientSession, folder: Path, snapshots: Sequence[Snapshot]) -> bytes:
    """The difference of two trees as git writes it. They are copied into `folder` as `a` and `b`, because git names files by their folders.

    Devices, pipes and sockets are left out: a patch cannot hold them, and git may open them.
    """
    from pipelines.engine.embedded.store.trees.copy import copy_tree
    from pipelines.engine.embedded.store.trees.root import Root

    for name, snapshot in zip("ab", snapshots, strict=True):
        with session.store.view(snapshot) as view:
            copy_tree(Root(view.path), "/", Root(folder), f"/{name}", special=False)
    done = run_git(DIFF, folder)
    if done.code not in (0, DIFFERENT):
        raise ToolError(f"git diff failed: {done.complaint[-COMPLAINT:]}")
    return done.stdout


@dataclass(frozen=True)
class ApplyPatch(Action):
    """A patch applied to the directory `path`: all of it, or it is refused. A text without any patch changes nothing."""

    name: ClassVar[str] = "patch"
    path: str
    patch: bytes = field(repr=False)

    def recipe(self) -> Any:
        return [self.path, self.patch]

    def apply(self, root: Root, _: Sequence[Root], /) -> None:
        root.mkdirs(self.path)
        _apply(root, self.path, self.patch)


@dataclass(frozen=True)
class ApplyPatchFile(SourceAction):
    """As ApplyPatch, with the text of the patch read from `source_path` of its first source."""

    name: ClassVar[str] = "patch"

    def apply(self, root: Root, sources: Sequence[Root], /) -> None:
        root.mkdirs(self.path)
        _apply(root, self.path, sources[0].read(self.source_path))


def _apply(root: Root, path: str, patch: bytes) -> None:
    if not patch.strip():
        return
    done = run_git(["apply", "--allow-empty", "--whitespace=nowarn", "-"], root.locate(path), stdin=patch)
    if done.code:
        raise InvalidInput(f"git apply: exit status {done.code}: {done.complaint[-COMPLAINT:]}")
