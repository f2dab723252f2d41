"""Git repositories in directories of ours."""

from __future__ import annotations

import asyncio
import re
import tempfile
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from pipelines.engine.embedded.errors import NotFound
from pipelines.engine.embedded.ops import gitcopy
from pipelines.engine.embedded.ops.git import Repository
from pipelines.engine.embedded.ops.read import within
from pipelines.engine.embedded.ops.states import DirectoryState

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterable

    from pipelines.engine.embedded.ops.session import Session

VERSION = re.compile(r"v?(\d+)\.(\d+)\.(\d+)(?:-([0-9A-Za-z.-]+))?(?:\+[0-9A-Za-z.-]+)?")


async def local_repository(session: Session, state: DirectoryState) -> Repository:
    """The repository in a directory: its `.git`, or the directory itself where it is bare.

    Raises:
        InvalidInput: there is none, or it leads out of the directory.
    """
    path = await within(session, state.op, lambda root: gitcopy.check(root, state.path))
    snapshot = (await session.ops.output(state.op)).snapshot
    content = await session.content_digest(snapshot, path)
    return Repository(f"directory@{content}", source=DirectoryState(state.op, path))


@asynccontextmanager
async def located(session: Session, repository: Repository) -> AsyncIterator[str]:
    """What git is to be told to find a repository: its URL or, of one in a directory, where a copy of ours can be read meanwhile."""
    if repository.source is None:
        yield repository.url
        return
    from pipelines.engine.embedded.store.trees.root import Root

    snapshot = (await session.ops.output(repository.source.op)).snapshot
    view = await asyncio.to_thread(session.store.view, snapshot)
    with view, tempfile.TemporaryDirectory(prefix="lockgate-git-") as folder:
        await asyncio.to_thread(gitcopy.make_copy, Root(view.path), repository.source.path, Path(folder))
        yield f"file://{folder}"


def latest_version(tags: Iterable[str]) -> str:
    """The highest tag by semantic versioning (semver.org 2.0.0, point 11), with or without a `v`.

    Raises:
        NotFound: none of them is a version.
    """
    versions = [(match, tag) for tag in tags if (match := VERSION.fullmatch(tag))]
    if not versions:
        raise NotFound("git: no tag is a semantic version")
    return max(versions, key=lambda one: _precedence(one[0]))[1]


def _precedence(version: re.Match[str]) -> tuple[tuple[int, ...], bool, list[tuple[bool, int, str]]]:
    """A release after its pre-releases; among those numbers before words, by value."""
    before = version[4]
    parts = [(not part.isdecimal(), int(part) if part.isdecimal() else 0, part) for part in (before or "").split(".")]
    return tuple(int(version[place]) for place in (1, 2, 3)), before is None, parts
