"""Snapshots on overlayfs: any sequence of operations gives what a plain mapping gives, and nothing changes what was there before."""

from __future__ import annotations

import os
import stat
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings

from pipelines.engine.embedded.sandbox.container import without_devices
from pipelines.engine.embedded.store.layers.squash import merge
from pipelines.engine.embedded.store.snapshot import MAX_DEPTH, SCRATCH, Snapshot
from pipelines.engine.embedded.store.store import Store
from pipelines.engine.embedded.store.trees.copy import copy_tree
from pipelines.engine.embedded.store.trees.root import Root
from tests.integration.engine.store_trees import STEPS, Operation, Tree, read_tree

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = pytest.mark.root


@pytest.fixture(scope="module")
def store(private_mounts: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    with Store.open(tmp_path_factory.mktemp("drafts") / "store", rootless=False) as opened:
        yield opened


def grown(store: Store, steps: list[list[Operation]]) -> list[tuple[Snapshot, Tree]]:
    """A snapshot a step, each on top of the last, with what the model says it holds."""
    snapshot, tree = SCRATCH, dict[str, str]()
    history = [(snapshot, tree)]
    for step in steps:
        with store.draft(snapshot) as draft:
            root = Root(draft.mount())
            for operation in step:
                operation.apply(root, tree)
                tree = operation.model(tree)
            snapshot = draft.commit(os.urandom(8).hex())
        history.append((snapshot, tree))
    return history


def shown(store: Store, snapshot: Snapshot) -> Tree:
    with store.view(snapshot) as view:
        return read_tree(view.path)


@given(STEPS)
@settings(deadline=None, max_examples=50)
def test_every_snapshot_of_a_history_shows_its_own_state(store: Store, steps: list[list[Operation]]) -> None:
    for snapshot, tree in grown(store, steps):
        assert shown(store, snapshot) == tree


def merged(store: Store, snapshot: Snapshot, kept: int) -> Snapshot:
    """The same in fewer layers: all but the first `kept` made one."""
    below, above = ([store.layer_path(name) for name in names] for names in (snapshot.layers[:kept], snapshot.layers[kept:]))
    name = store.add_layer(lambda target: merge(above, below, target, store.workspace.overlay.opaque_mark), os.urandom(8).hex())
    return Snapshot("merged", (*snapshot.layers[:kept], name))


@given(STEPS, STEPS)
@settings(deadline=None, max_examples=30)
def test_merged_layers_show_what_the_stack_showed(store: Store, lower: list[list[Operation]], upper: list[list[Operation]]) -> None:
    snapshot, tree = grown(store, [*lower, *upper])[-1]
    for kept in range(len(snapshot.layers)):
        assert shown(store, merged(store, snapshot, kept)) == tree


def test_everything_merged_is_plain(store: Store) -> None:
    steps = [[Operation("write", "a/b", "1")], [Operation("remove", "a", "")], [Operation("write", "a/c", "1")]]
    snapshot, _ = grown(store, steps)[-1]
    assert [store.pins.plain(f"l/{name}") for name in snapshot.layers] == [True, False, True]
    assert store.pins.plain(f"l/{merged(store, snapshot, 0).layers[0]}")


def test_a_chain_deeper_than_a_mount_takes_goes_on(store: Store) -> None:
    snapshot = SCRATCH
    for index in range(2 * MAX_DEPTH + 6):
        with store.draft(snapshot) as draft:
            root = draft.mount()
            (root / str(index)).write_text(str(index))
            if index % 3 == 2:
                (root / str(index - 1)).unlink()
            snapshot = draft.commit(f"deep-{index}")
        assert len(snapshot.layers) <= MAX_DEPTH
    assert shown(store, snapshot) == {str(index): f"file:{index}" for index in range(2 * MAX_DEPTH + 6) if index % 3 != 1}


def test_the_same_chain_is_squashed_to_the_same_layers(store: Store) -> None:
    def fill(root: Path) -> None:
        (root / "x").write_text("x")

    snapshot = Snapshot("id", tuple(store.add_layer(fill, f"same-{index}") for index in range(MAX_DEPTH)))
    once, again = store.squash(snapshot), store.squash(snapshot)
    assert once == again
    assert (once.id, len(once.layers)) == (snapshot.id, MAX_DEPTH // 2 + 1)


def test_modes_owners_and_attributes_survive_layers_and_merging(store: Store) -> None:
    with store.draft(SCRATCH) as draft:
        root = draft.mount()
        (root / "d").mkdir()
        (root / "d" / "run").write_text("#!")
        (root / "d" / "other").write_text("1")
        one = draft.commit("one")
    with store.draft(one) as draft:
        root = draft.mount()
        os.chown(root / "d" / "run", 1000, 1001)
        (root / "d" / "run").chmod(0o4750)
        os.setxattr(root / "d", "user.note", b"1")
        (root / "d").chmod(0o1777)
        two = draft.commit("two")
    merged = store.add_layer(
        lambda t: merge([store.layer_path(x) for x in two.layers], [], t, store.workspace.overlay.opaque_mark), "merged-modes"
    )
    for snapshot in (two, Snapshot("m", (merged,))):
        with store.view(snapshot) as view:
            info, folder = (view.path / "d" / "run").stat(), (view.path / "d").stat()
            assert (info.st_uid, info.st_gid, info.st_mode & 0o7777) == (1000, 1001, 0o4750)
            assert (folder.st_mode & 0o7777, os.getxattr(view.path / "d", "user.note")) == (0o1777, b"1")
            assert (view.path / "d" / "other").read_text() == "1"


def test_a_draft_without_changes_is_its_lower_whatever_was_read(store: Store) -> None:
    with store.draft(SCRATCH) as draft:
        (draft.mount() / "x").write_text("1")
        one = draft.commit("read-one")
    with store.draft(one) as draft:
        root = draft.mount()
        assert (root / "x").read_text() == "1"
        (root / "tmp").write_text("")
        (root / "tmp").unlink()
        assert draft.commit("read-two") is one


def test_the_root_folder_keeps_its_mode_and_owner_over_layers(store: Store) -> None:
    with store.draft(SCRATCH) as draft:
        draft.mount().chmod(0o750)
        os.chown(draft.mount(), 7, 8)
        one = draft.commit("root-one")
    with store.draft(one) as draft:
        (draft.mount() / "x").write_text("1")
        two = draft.commit("root-two")
    with store.view(two) as view:
        info = view.path.stat()
        assert (info.st_mode & 0o7777, info.st_uid, info.st_gid) == (0o750, 7, 8)


def test_views_of_one_snapshot_share_a_mount_that_goes_when_too_many_are_idle(store: Store) -> None:
    first, second = (grown(store, [[Operation("write", "a", "1")], [Operation("write", "b", str(index))]])[-1][0] for index in range(2))
    with store.view(first) as one, store.view(first) as two:
        assert one.path == two.path
    for index in range(40):
        with store.view(grown(store, [[Operation("write", "a", "1")], [Operation("write", "b", str(index))]])[-1][0]):
            pass
    assert not one.path.exists()
    with store.view(second) as view:
        assert read_tree(view.path) == {"a": "file:1", "b": "file:1"}


def test_a_copy_from_a_snapshot_into_a_draft_on_it(store: Store) -> None:
    snapshot, tree = grown(store, [[Operation("write", "a/b", "1")], [Operation("write", "a/c", "22"), Operation("remove", "a/b", "")]])[-1]
    with store.draft(snapshot) as draft, store.view(snapshot) as view:
        copy_tree(Root(view.path), "/", Root(draft.mount()), "copy")
        copied = draft.commit("copied")
    assert shown(store, copied) == tree | {"copy": "folder", "copy/a": "folder", "copy/a/c": "file:22"}


def test_a_mount_somebody_uses_is_not_committed(store: Store) -> None:
    with store.draft(grown(store, [[Operation("write", "a", "1")]])[-1][0]) as draft:
        root = draft.mount()
        with (root / "a").open("w") as file:
            file.write("later")
            with pytest.raises(OSError, match="busy"):
                draft.commit("busy")
        assert draft.commit("not busy").id == "not busy"


def test_closing_the_store_unmounts_everything(private_mounts: Path, tmp_path: Path) -> None:
    with Store.open(tmp_path / "store", rootless=False) as store:
        snapshot = grown(store, [[Operation("write", "a", "1")], [Operation("write", "b", "1")]])[-1][0]
        with store.view(snapshot):
            assert str(tmp_path) in mounts()
    assert str(tmp_path) not in mounts()
    assert list((tmp_path / "store" / "tmp").iterdir()) == []


def test_a_draft_in_use_does_not_keep_the_store_from_closing(private_mounts: Path, tmp_path: Path) -> None:
    with Store.open(tmp_path / "store", rootless=False) as store:
        draft = store.draft(grown(store, [[Operation("write", "a", "1")]])[-1][0])
        file = (draft.mount() / "b").open("w")
    with file:
        assert str(tmp_path) not in mounts()
        file.write("late")
    with Store.open(tmp_path / "store", rootless=False) as store:
        store.wait_until_swept()
        assert [path.name for path in (tmp_path / "store" / "tmp").iterdir()] == [store.workspace.token]


def mounts() -> str:
    with open("/proc/self/mountinfo", encoding="utf-8") as table:  # noqa: PTH123 - one line
        return table.read()


def test_the_engine_opens_no_device_of_a_layer_and_a_container_may(store: Store) -> None:
    snapshot = SCRATCH
    for name in ("null", "again"):
        with store.draft(snapshot) as draft:
            os.mknod(draft.mount() / name, 0o666 | stat.S_IFCHR, os.makedev(1, 3))
            snapshot = draft.commit(os.urandom(8).hex())
    with store.view(snapshot) as view, store.draft(snapshot) as draft, store.draft(snapshot, for_container=True) as running:
        for path in (view.path, draft.mount()):
            with pytest.raises(PermissionError):
                (path / "null").read_bytes()
            assert os.statvfs(path).f_flag & os.ST_NOSUID
        root = running.mount()
        assert (root / "null").read_bytes() == b""
        assert not os.statvfs(root).f_flag & os.ST_NOSUID
        without_devices(root)  # as where nothing filters devices
        with pytest.raises(PermissionError):
            (root / "null").read_bytes()
        (root / "still-writable").write_text("x")
