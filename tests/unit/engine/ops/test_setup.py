from __future__ import annotations

import asyncio
import threading
from typing import TYPE_CHECKING, Any

import pytest

from pipelines.engine.embedded.errors import NotFound
from pipelines.engine.embedded.ops.commands.command import ContainerCommand
from pipelines.engine.embedded.ops.commands.setup import ContainerSetup
from pipelines.engine.embedded.ops.values.op import OpOutput
from pipelines.engine.embedded.ops.values.states import CacheMount, CacheState, DirectoryMount, DirectoryState, Mount, SecretState
from tests.unit.engine.ops.fakes import ROOT, Session, Store

if TYPE_CHECKING:
    from pathlib import Path


def command(*mounts: Mount, **more: Any) -> ContainerCommand:
    return ContainerCommand(("true",), (), "/", "", mounts, **more)


def cache(target: str, key: str, sharing: str = "LOCKED") -> CacheMount:
    return CacheMount(target, CacheState(key, sharing=sharing))


def arranged(session: Session, what: ContainerCommand) -> ContainerSetup:
    return ContainerSetup(session, what, [OpOutput(ROOT)] * 4)  # type: ignore[arg-type]


async def test_everything_is_given_back_at_the_end(tmp_path: Path) -> None:
    session = Session(Store(tmp_path))
    setup = arranged(session, command(cache("/c", "c")))
    await setup.prepare()
    assert (session.leases, session.volumes, session.services.bound, len(session.store.drafts)) == (1, ["c"], 1, 1)
    await setup.close()
    assert session.released()


async def test_containers_that_lock_the_same_volumes_in_another_order_do_not_wait_for_each_other(tmp_path: Path) -> None:
    session = Session(Store(tmp_path))

    async def use(*keys: str) -> None:
        setup = arranged(session, command(*(cache(f"/{key}", key) for key in keys)))
        try:
            await setup.prepare()
        finally:
            await setup.close()

    async with asyncio.timeout(10):
        await asyncio.gather(use("a", "b"), use("b", "a"))
    assert session.released()


@pytest.mark.parametrize("other", ["LOCKED", "SHARED"])
async def test_a_locked_volume_mounted_twice_is_held_once(tmp_path: Path, other: str) -> None:
    session = Session(Store(tmp_path))
    setup = arranged(session, command(cache("/one", "c", other), cache("/two", "c")))
    async with asyncio.timeout(10):
        await setup.prepare()
    assert session.volumes == ["c"]
    await setup.close()
    assert session.released()


async def test_a_secret_that_cannot_be_read_leaves_nothing_behind(tmp_path: Path) -> None:
    def unreadable() -> bytes:
        raise NotFound("secret env://X: the variable is not set")

    session = Session(Store(tmp_path), secret=unreadable)
    secret = SecretState("x", "env://X", "env://X", unreadable)
    setup = arranged(session, command(cache("/c", "c"), secret_env=(("X", secret),)))
    with pytest.raises(NotFound):
        await setup.prepare()
    await setup.close()
    assert session.released()


async def test_a_mount_whose_source_is_missing_leaves_nothing_behind(tmp_path: Path) -> None:
    session = Session(Store(tmp_path))
    setup = arranged(session, command(DirectoryMount("/m", DirectoryState(path="/missing"))))
    with pytest.raises(NotFound):
        await setup.prepare()
    await setup.close()
    assert len(session.store.drafts) == 2
    assert session.released()


async def test_a_cancellation_while_drafts_are_made_leaves_none(tmp_path: Path) -> None:
    begun, release = threading.Event(), threading.Event()

    def slow() -> None:
        begun.set()
        release.wait(10)

    session = Session(Store(tmp_path, before_draft=slow))
    setup = arranged(session, command())

    async def use() -> None:
        try:
            await setup.prepare()
        finally:
            await setup.close()

    task = asyncio.create_task(use())
    await asyncio.to_thread(begun.wait, 10)
    task.cancel()
    await asyncio.wait([task], timeout=0.2)  # time to clean up too early
    release.set()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert session.store.drafts
    assert session.released()
