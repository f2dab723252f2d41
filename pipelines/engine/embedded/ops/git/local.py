"""Git repositories in directories of ours."""

from __future__ import annotations

import asyncio
import tempfile
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from pipelines.engine.embedded.ops.files.read import within
from pipelines.engine.embedded.ops.git import refs_copy
from pipelines.engine.embedded.ops.values.repository import GitRepository
from pipelines.engine.embedded.ops.values.states import DirectoryState

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from pipelines.engine.embedded.ops.interface import ClientSession


async def local_repository(session: ClientSession, state: DirectoryState) -> GitRepository:
    """The repository in a directory: its `.git`, or the directory itself where it is bare.

    Raises:
        InvalidInput: there is none, or it leads out of the directory.
    """
    path = await within(session, state.op, lambda root: refs_copy.check(root, state.path))
    snapshot = (await session.ops.output(state.op)).snapshot
    content = await session.content_digest(snapshot, path)
    return GitRepository(f"directory@{content}", source=DirectoryState(state.op, path))


@asynccontextmanager
async def located(session: ClientSession, repository: GitRepository) -> AsyncIterator[str]:
    """The URL by which git finds a repository; for one in a directory, that of a copy, which exists while the context is open."""
    if repository.source is None:
        yield repository.url
        return
    from pipelines.engine.embedded.store.trees.root import Root

    snapshot = (await session.ops.output(repository.source.op)).snapshot
    view = await asyncio.to_thread(session.store.view, snapshot)
    with view, tempfile.TemporaryDirectory(prefix="lockgate-git-") as folder:
        await asyncio.to_thread(refs_copy.make_copy, Root(view.path), repository.source.path, Path(folder))
        yield f"file://{folder}"
