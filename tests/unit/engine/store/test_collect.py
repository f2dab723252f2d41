"""Who goes first when there is not room for all."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from pipelines.engine.embedded.store.snapshot import SCRATCH, Snapshot
from pipelines.engine.embedded.store.store import Store

if TYPE_CHECKING:
    from pathlib import Path

BLOCK = 1 << 20


def opened(root: Path, budget: int | None = None) -> Store:
    return Store.open(root / "store", rootless=False, budget=budget)


def made(store: Store, key: str, *below: str, blocks: int = 1) -> list[str]:
    """A result with a layer of its own, on top of layers of others."""
    with store.draft(SCRATCH) as draft:
        (draft.mount() / key).write_bytes(b"x" * BLOCK * blocks)
        layers = [*below, *draft.commit(key).layers]
    store.put(key, {"layers": layers}, layers=layers, label=f"made {key}", cost=1.5)
    return layers


async def fill(store: Store, key: str, blocks: int) -> None:
    async with store.volume(key) as path:
        (path / "data").write_bytes(b"x" * BLOCK * blocks)


def used(store: Store, times: dict[str, float]) -> None:
    """Say when results were last used."""
    with store.workspace.index.writing() as db:
        db.executemany("UPDATE results SET used = ? WHERE key = ?", [(when, key) for key, when in times.items()])


def left(store: Store) -> set[str]:
    with store.workspace.index.reading() as db:
        return {key for (key,) in db.execute("SELECT key FROM results")}


def test_the_longest_unused_goes_first_and_is_named(tmp_path: Path) -> None:
    with opened(tmp_path) as store:
        for key in ("old", "older", "new"):
            made(store, key)
        used(store, {"older": 1, "old": 2, "new": 3})
    with opened(tmp_path) as store:
        report = store.gc(2 * BLOCK + BLOCK // 2)
        assert left(store) == {"old", "new"}
        assert [(taken.label, taken.cost) for taken in report.removed] == [("made older", 1.5)]
        assert report.freed >= BLOCK
        assert report.kept == store.usage().total
        assert len(list((store.root / "l").iterdir())) == 2


def test_a_hit_makes_a_result_fresh(tmp_path: Path) -> None:
    with opened(tmp_path) as store:
        for key in ("a", "b"):
            made(store, key)
        used(store, {"a": 1, "b": 2})
    with opened(tmp_path) as store:
        assert store.get("a")
    with opened(tmp_path) as store:
        store.gc(BLOCK + BLOCK // 2)
        assert left(store) == {"a"}


def test_nothing_a_live_session_has_looked_up_or_made_goes(tmp_path: Path) -> None:
    with opened(tmp_path) as store:
        made(store, "looked up")
        made(store, "nobody's")
    with opened(tmp_path) as user, opened(tmp_path) as cleaner:
        assert user.get("looked up")
        made(user, "just made")
        report = cleaner.gc(0)
        assert left(cleaner) == {"looked up", "just made"}
        assert report.in_use == report.kept > 0
        with user.draft(Snapshot("id", tuple(user.get("looked up")["layers"]))) as draft:  # type: ignore[index]
            assert draft.lower.layers


def test_a_result_whose_layers_others_stand_on_goes_after_them(tmp_path: Path) -> None:
    with opened(tmp_path) as store:
        base = made(store, "base")
        made(store, "top", *base)
        made(store, "other")
        used(store, {"base": 1, "other": 2, "top": 3})
    with opened(tmp_path) as store:
        assert [taken.label for taken in store.gc(2 * BLOCK + BLOCK // 2).removed] == ["made other"]
        assert left(store) == {"base", "top"}


def test_volumes_count_and_go_like_results(tmp_path: Path) -> None:
    with opened(tmp_path) as store:
        asyncio.run(fill(store, "pip", 3))
        made(store, "result")
        assert store.usage().volumes >= 3 * BLOCK
    with opened(tmp_path) as store:
        assert [taken.label for taken in store.gc(2 * BLOCK).removed] == ["cache volume pip"]
        assert store.usage().volumes == 0
        assert list((store.root / "volumes").iterdir()) == []


def test_a_budget_is_kept_to_when_the_session_ends(tmp_path: Path) -> None:
    with opened(tmp_path, budget=BLOCK + BLOCK // 2) as store:
        for key in ("a", "b", "c"):
            made(store, key)
        used(store, {"a": 1, "b": 2, "c": 3})
    with opened(tmp_path) as store:
        assert left(store) == {"c"}


def test_what_a_session_wrote_to_volumes_counts_when_it_ends(tmp_path: Path) -> None:
    with opened(tmp_path, budget=2 * BLOCK) as store:
        made(store, "result")
        asyncio.run(fill(store, "pip", 3))
        used(store, {"result": 1})
    with opened(tmp_path) as store:
        assert left(store) == set()
        assert store.usage().total == 0


def test_prune_leaves_nothing_unused(tmp_path: Path) -> None:
    with opened(tmp_path) as store:
        made(store, "a")
        store.put("no objects", {})
    with opened(tmp_path) as store:
        report = store.prune()
        assert left(store) == set()
        assert (report.kept, store.usage().total) == (0, 0)


def test_files_nobody_knows_are_collected(tmp_path: Path) -> None:
    with opened(tmp_path) as store:
        stray = store.root / "l" / "stray"
        stray.mkdir()
        (stray / "x").write_text("x")
        store.gc(1 << 40)
        assert not stray.exists()
