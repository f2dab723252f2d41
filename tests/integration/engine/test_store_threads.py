"""SQLite waits for the disk and for other processes' transactions. The engine's event loop waits for neither."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, cast

import pytest

from pipelines.engine.embedded.images.images import Images
from pipelines.engine.embedded.images.layout import Variant
from pipelines.engine.embedded.nonblocking_writer import NonBlockingWriter
from pipelines.engine.embedded.ops.files.actions import ActionOp
from pipelines.engine.embedded.ops.files.copies import CopyDirectory
from pipelines.engine.embedded.ops.files.edits import WriteFile
from pipelines.engine.embedded.ops.session import LocalSession
from pipelines.engine.embedded.ops.values.op import SCRATCH_OP, Constant
from pipelines.engine.embedded.progress import LineProgress
from pipelines.engine.embedded.store.snapshot import SCRATCH
from pipelines.engine.embedded.store.store import Store

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from pipelines.engine.embedded.network.switch import Switch
    from pipelines.engine.embedded.sandbox.runtime import Runtime

pytestmark = pytest.mark.root


@pytest.fixture
def users() -> list[int]:
    """The threads that used the index, one entry a use."""
    return []


@pytest.fixture
def store(private_mounts: Path, tmp_path: Path, users: list[int]) -> Iterator[Store]:
    with Store.open(private_mounts / tmp_path.name, rootless=False) as opened:
        opened.workspace.index.on_use = lambda: users.append(threading.get_ident())
        yield opened


def session(store: Store) -> LocalSession:
    runtime, switch = cast("Runtime", None), cast("Switch", None)  # no container is run
    return LocalSession(store, runtime, switch, LineProgress(NonBlockingWriter(2)), store.root, "linux/amd64")


async def test_operations_use_the_index_in_threads_only(store: Store, users: list[int]) -> None:
    written = ActionOp(SCRATCH_OP, WriteFile("/d/f", b"text", 0o644))
    copied = ActionOp(Constant(SCRATCH), CopyDirectory("/to", written, "/d"))
    for _ in ("made", "found in the store"):
        current = session(store)
        output = await current.ops.output(copied)
        await current.content_digest(output.snapshot, "/to")
    assert users
    assert threading.get_ident() not in users


async def test_volumes_and_images_use_the_index_in_threads_only(store: Store, users: list[int], tmp_path: Path) -> None:
    made = (await session(store).ops.output(ActionOp(SCRATCH_OP, WriteFile("/d/f", b"text", 0o644)))).snapshot
    for sharing in ("SHARED", "PRIVATE", "LOCKED"):
        async with store.volume(f"volume {sharing}", sharing=sharing, seed=(made, "/d")):
            pass
    images = Images(store)
    await images.save([Variant(made, {}, "linux/amd64")], tmp_path / "image.tar")
    assert (await images.load(tmp_path / "image.tar")).snapshot.layers
    assert users
    assert threading.get_ident() not in users
