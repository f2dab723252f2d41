"""What one directory has that another has not, or has otherwise."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipelines.engine.embedded.ops.interface import ComputedOp
from pipelines.engine.embedded.ops.tasks import in_thread
from pipelines.engine.embedded.ops.values.digest import digest_of
from pipelines.engine.embedded.ops.values.op import OpOutput
from pipelines.engine.embedded.store.snapshot import SCRATCH

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pipelines.engine.embedded.ops.interface import ClientSession
    from pipelines.engine.embedded.ops.values.states import DirectoryState
    from pipelines.engine.embedded.store.snapshot import Snapshot


class DiffOp(ComputedOp):
    """Files of `upper` that are new or changed against `lower`. What was removed leaves no trace in it."""

    kind = "diff"
    __slots__ = ("lower", "upper")

    def __init__(self, lower: DirectoryState, upper: DirectoryState) -> None:
        super().__init__([lower.path, upper.path], [lower.op, upper.op])
        self.lower = lower
        self.upper = upper

    async def key(self, session: ClientSession, inputs: Sequence[OpOutput]) -> str:
        paths = (self.lower.path, self.upper.path)
        contents = [await session.content(output.snapshot, path) for output, path in zip(inputs, paths, strict=True)]
        return digest_of(self.kind, contents)

    async def run(self, session: ClientSession, inputs: Sequence[OpOutput], key: str) -> OpOutput:
        lower, upper = (output.snapshot for output in inputs)
        return OpOutput(await in_thread(self._write, session, lower, upper, key))

    def _write(self, session: ClientSession, lower: Snapshot, upper: Snapshot, key: str) -> Snapshot:
        from pipelines.engine.embedded.store.trees.copy import copy_changes
        from pipelines.engine.embedded.store.trees.root import Root

        draft = session.store.draft(SCRATCH)
        try:
            target = Root(draft.mount())
            with session.store.view(lower) as old, session.store.view(upper) as new:
                copy_changes(Root(old.path), self.lower.path, Root(new.path), self.upper.path, target)
            return draft.commit(key)
        except BaseException:
            draft.discard()
            raise
