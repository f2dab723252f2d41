"""The files of a commit."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from pipelines.engine.embedded.ops.git.local import located
from pipelines.engine.embedded.ops.git.run import git
from pipelines.engine.embedded.ops.interface import ComputedOp
from pipelines.engine.embedded.ops.tasks import in_thread
from pipelines.engine.embedded.ops.values.digest import digest_of
from pipelines.engine.embedded.ops.values.op import OpOutput
from pipelines.engine.embedded.store.snapshot import SCRATCH
from pipelines.foundation.redaction import without_passwords

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from pipelines.engine.embedded.ops.interface import ClientSession
    from pipelines.engine.embedded.ops.values.repository import GitRef

NO_HOST = ("-c", "protocol.file.allow=never", "-c", "protocol.ext.allow=never")
"""Anybody may have written a submodule's URL: it may name neither a folder of this machine nor a program."""


class TreeOp(ComputedOp):
    """The files of a commit, with a `.git` of `depth` commits unless it is left out."""

    kind = "git"
    __slots__ = ("bare", "depth", "ref")

    def __init__(self, ref: GitRef, *, discard_git_dir: bool, depth: int) -> None:
        source = ref.repository.source
        recipe = [ref.repository.url, ref.name, ref.commit, discard_git_dir, depth]
        super().__init__(recipe, [source.op] if source is not None else [])
        self.ref = ref
        self.bare = discard_git_dir
        self.depth = depth

    def describe(self) -> str:
        return f"{without_passwords(self.ref.repository.url)} {self.ref.commit[:12]}"

    async def key(self, session: ClientSession, inputs: Sequence[OpOutput]) -> str:  # noqa: ARG002 - the url of a local one names its content
        ref = self.ref
        return digest_of(self.kind, ref.repository.url, ref.name, ref.commit, self.bare, self.depth)

    async def run(self, session: ClientSession, inputs: Sequence[OpOutput], key: str) -> OpOutput:  # noqa: ARG002 - it has none
        draft = session.store.draft(SCRATCH)
        try:
            await self._checkout(session, draft.mount())
            return OpOutput(await in_thread(draft.commit, key))
        except BaseException:
            await in_thread(draft.discard)
            raise

    async def _checkout(self, session: ClientSession, folder: Path) -> None:

        repository, at = self.ref.repository, ["-C", str(folder)]
        await git(repository, [*at, "init", "--quiet"])
        if repository.source is None:
            await git(repository, [*at, "remote", "add", "origin", repository.url])
        depth = [f"--depth={self.depth}"] if self.depth > 0 else []
        async with located(session, repository) as where:
            await git(repository, [*at, "fetch", "--quiet", "--no-tags", *depth, where, self.ref.commit])
        if repository.source is not None:  # it names a folder of this machine, which is gone by now
            (folder / ".git/FETCH_HEAD").unlink(missing_ok=True)
        await git(repository, [*at, "checkout", "--quiet", "--detach", self.ref.commit])
        await git(repository, [*at, *NO_HOST, "submodule", "update", "--quiet", "--init", "--recursive", *depth])
        if self.bare:
            from pipelines.engine.embedded.store.trees.root import Root

            await asyncio.to_thread(Root(folder).remove_tree, ".git")
