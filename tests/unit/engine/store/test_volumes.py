from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from pipelines.engine.embedded.store.snapshot import SCRATCH, Snapshot
from pipelines.engine.embedded.store.store import Store

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store.open(tmp_path / "store", rootless=False) as opened:
        yield opened


def seed(store: Store) -> Snapshot:
    with store.draft(SCRATCH) as draft:
        root = draft.mount()
        (root / "inner").mkdir(mode=0o700)
        (root / "inner" / "seed").write_text("seeded")
        (root / "outer").write_text("1")
        return draft.commit("seed")


async def test_what_is_written_is_there_the_next_time(store: Store, tmp_path: Path) -> None:
    async with store.volume("pip") as path:
        (path / "x").write_text("1")
    async with store.volume("pip") as path, store.volume("other") as other:
        assert (path / "x").read_text() == "1"
        assert list(other.iterdir()) == []
    with Store.open(tmp_path / "store", rootless=False) as later:
        async with later.volume("pip") as path:
            assert (path / "x").read_text() == "1"


async def test_a_new_volume_begins_with_its_seed_once(store: Store) -> None:
    snapshot = seed(store)
    async with store.volume("v", seed=(snapshot, "/inner")) as path:
        assert (path / "seed").read_text() == "seeded"
        assert path.stat().st_mode & 0o777 == 0o700
        (path / "seed").write_text("changed")
    async with store.volume("v", seed=(snapshot, "/")) as path:
        assert [(entry.name, entry.read_text()) for entry in path.iterdir()] == [("seed", "changed")]
    with store.view(snapshot) as view:
        assert (view.path / "inner" / "seed").read_text() == "seeded"


async def test_shared_users_use_one_folder_at_a_time(store: Store) -> None:
    async with store.volume("v") as one, store.volume("v", sharing="SHARED") as two:
        assert one == two


async def test_private_users_have_their_own_and_free_ones_are_used_again(store: Store) -> None:
    async with store.volume("v", sharing="PRIVATE") as one:
        (one / "x").write_text("1")
        async with store.volume("v", sharing="PRIVATE") as two:
            assert one != two
            assert list(two.iterdir()) == []
    async with store.volume("v", sharing="PRIVATE") as again:
        assert again == one
        assert (again / "x").exists()


async def test_a_locked_volume_has_one_user(store: Store) -> None:
    async with store.volume("v", sharing="LOCKED"):
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.05), store.volume("v", sharing="LOCKED"):
                pass
    async with asyncio.timeout(5), store.volume("v", sharing="LOCKED"):
        pass


async def test_many_at_once_make_it_once(store: Store) -> None:
    snapshot = seed(store)

    async def use() -> Path:
        async with store.volume("v", seed=(snapshot, "/")) as path:
            assert (path / "inner" / "seed").read_text() == "seeded"
            return path

    assert len(set(await asyncio.gather(*(use() for _ in range(10))))) == 1
