from __future__ import annotations

import asyncio
from contextlib import contextmanager
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, cast

from pipelines.engine.embedded.errors import ToolError
from pipelines.engine.embedded.ops.session import LocalSession
from pipelines.engine.embedded.ops.values.repository import GitRepository
from pipelines.engine.embedded.store.layers.layer_hashes import LayerHashes
from pipelines.engine.embedded.store.snapshot import SCRATCH
from pipelines.foundation.process.blocking import run_blocking

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@dataclass
class Trees:
    """The store as hashing sees it: one tree, and how often it was read."""

    path: Path
    kept: dict[str, dict[str, Any]] = field(default_factory=dict)
    file_hashes: LayerHashes = field(default_factory=LayerHashes)
    reads: int = 0

    def get(self, key: str) -> dict[str, Any] | None:
        return self.kept.get(key)

    def put(self, key: str, payload: dict[str, Any]) -> None:
        self.kept[key] = payload

    @contextmanager
    def view(self, _: object) -> Iterator[SimpleNamespace]:
        self.reads += 1
        yield SimpleNamespace(path=self.path)


def session(store: Trees) -> LocalSession:
    others = cast("Any", None)  # hashing needs none of them
    return LocalSession(cast("Any", store), others, others, others, store.path, "linux/amd64")


async def test_a_tree_is_hashed_once_however_many_ask_and_not_again_in_the_next_session(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("text")
    store = Trees(tmp_path)
    here = session(store)
    first, second = await asyncio.gather(here.content_digest(SCRATCH, "/file"), here.content_digest(SCRATCH, "/file"))
    assert (first == second, store.reads) == (True, 1)
    assert await here.content_digest(SCRATCH, "/") != first
    assert await session(store).content_digest(SCRATCH, "/file") == first
    assert store.reads == 2


async def test_who_asks_with_other_credentials_does_not_get_the_refusal_of_somebody_else(tmp_path: Path) -> None:
    run_blocking(["git", "init", "--quiet", "--bare", str(tmp_path / "repository")])
    url = f"file://{tmp_path}/repository"
    refused, welcome = GitRepository(url, {"GIT_ALLOW_PROTOCOL": "none"}), GitRepository(url)
    here = session(Trees(tmp_path))
    first, second = await asyncio.gather(here.git_refs(refused), here.git_refs(welcome), return_exceptions=True)
    assert isinstance(first, ToolError)
    assert second == {}
