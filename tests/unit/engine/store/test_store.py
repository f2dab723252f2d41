"""The store without mounts: results, objects, pins, sessions."""

from __future__ import annotations

import sqlite3
from typing import TYPE_CHECKING

import pytest

from pipelines.engine.embedded.errors import EmbeddedUnavailable, InvalidInput
from pipelines.engine.embedded.store.objects.pins import ObjectMissing
from pipelines.engine.embedded.store.snapshot import SCRATCH, Snapshot
from pipelines.engine.embedded.store.store import Store, default_budget

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


def opened(root: Path) -> Store:
    return Store.open(root / "store", rootless=False)


def layer(store: Store, name: str, size: int = 10) -> Snapshot:
    with store.draft(SCRATCH) as draft:
        (draft.mount() / name).write_bytes(b"x" * size)
        return draft.commit(f"id-{name}")


def test_a_result_is_found_under_its_key_and_its_aliases(tmp_path: Path) -> None:
    with opened(tmp_path) as store:
        store.put("key", {"answer": [1, "ä"]}, alias=["other", "key"])
        assert store.get("key") == store.get("other") == {"answer": [1, "ä"]}
        assert store.get("nope") is None


def test_a_result_outlives_its_session_and_keeps_what_it_needs(tmp_path: Path) -> None:
    with opened(tmp_path) as store:
        snapshot = layer(store, "kept")
        output = store.new_output()
        output.write_text("said")
        blob = store.blobs.add(lambda path: path.write_bytes(b"blob"))
        store.put("key", {"layers": snapshot.layers}, layers=snapshot.layers, outputs=[output.name], blobs=[blob])
        lost = layer(store, "unused")
    with opened(tmp_path) as store:
        assert store.get("key") == {"layers": list(snapshot.layers)}
        assert store.output_path(output.name).read_text() == "said"
        found = store.blobs.find(blob)
        assert found is not None
        assert found.read_bytes() == b"blob"
        with store.view(snapshot) as view:
            assert (view.path / "kept").exists()
        with pytest.raises(ObjectMissing, match="no longer in the engine's store"):
            store.view(lost)


def test_an_output_that_was_not_put_is_gone_with_its_session(tmp_path: Path) -> None:
    with opened(tmp_path) as store:
        output = store.new_output()
        output.write_text("x")
        assert store.output_path(output.name) == output
    assert not output.exists()


def test_a_result_whose_layer_somebody_deleted_is_no_result(tmp_path: Path) -> None:
    with opened(tmp_path) as store:
        snapshot = layer(store, "x")
        store.put("key", {}, layers=snapshot.layers)
        path = store.layer_path(snapshot.layers[0])
    (path / "x").unlink()
    path.rmdir()
    with opened(tmp_path) as store:
        assert store.get("key") is None
        assert store.get("key") is None


def test_what_is_not_in_the_store_cannot_be_part_of_a_result(tmp_path: Path) -> None:
    with opened(tmp_path) as store:
        with pytest.raises(ObjectMissing):
            store.put("key", {}, layers=["nope"])
        assert store.get("key") is None


def test_putting_again_replaces_the_payload_and_keeps_the_greater_cost(tmp_path: Path) -> None:
    with opened(tmp_path) as store:
        store.put("key", {"n": 1}, cost=5.0, label="exec sleep")
        store.put("key", {"n": 2}, cost=0.1, alias=["more"])
        assert store.get("more") == {"n": 2}
        with store.workspace.index.reading() as db:
            assert db.execute("SELECT label, cost FROM results").fetchall() == [("exec sleep", 5.0)]


def test_a_draft_nothing_was_written_to_is_what_it_began_with(tmp_path: Path) -> None:
    with opened(tmp_path) as store, store.draft(SCRATCH) as draft:
        draft.mount()
        assert draft.commit("id") is SCRATCH


@pytest.mark.parametrize("change", [lambda root: root.chmod(0o700), lambda root: (root / "empty").mkdir()])
def test_a_draft_of_which_only_the_root_changed_or_that_has_an_empty_folder_is_a_new_snapshot(
    tmp_path: Path, change: Callable[[Path], object]
) -> None:
    with opened(tmp_path) as store, store.draft(SCRATCH) as draft:
        change(draft.mount())
        assert draft.commit("id").layers != ()


def test_a_discarded_draft_leaves_nothing(tmp_path: Path) -> None:
    with opened(tmp_path) as store:
        with store.draft(SCRATCH) as draft:
            (draft.mount() / "x").write_text("x")
        draft.discard()
        assert list((store.root / "l").iterdir()) == []
        assert not draft.upper.exists()


def test_a_layer_is_made_once_for_its_id(tmp_path: Path) -> None:
    made = []

    def fill(path: Path) -> None:
        made.append(path)
        (path / "x").write_text("1")

    with opened(tmp_path) as one, opened(tmp_path) as two:
        name = one.add_layer(fill, "sha256:1")
        assert two.add_layer(fill, "sha256:1") == two.find_layer("sha256:1") == name
        assert two.find_layer("sha256:2") is None
        assert len(made) == 1
        assert (two.layer_path(name) / "x").read_text() == "1"


def test_a_layer_that_could_not_be_filled_leaves_nothing(tmp_path: Path) -> None:
    def fail(path: Path) -> None:
        (path / "x").write_text("1")
        raise ValueError("broken off")

    with opened(tmp_path) as store:
        with pytest.raises(ValueError, match="broken off"):
            store.add_layer(fail, "id")
        assert store.find_layer("id") is None
        assert list((store.root / "l").iterdir()) == []


def test_a_blob_that_is_not_what_its_digest_says_is_refused(tmp_path: Path) -> None:
    digest = "sha256:" + "0" * 64
    with opened(tmp_path) as store:
        with pytest.raises(InvalidInput, match=f"a blob is damaged: expected {digest}, got sha256:"):
            store.blobs.add(lambda path: path.write_bytes(b"x"), digest)
        assert store.blobs.find(digest) is None
        with pytest.raises(InvalidInput, match="not a sha256 digest"):
            store.blobs.path("sha256:../../etc/passwd")


def test_two_sessions_see_one_store(tmp_path: Path) -> None:
    with opened(tmp_path) as one, opened(tmp_path) as two:
        snapshot = layer(one, "x")
        one.put("key", {"by": "one"}, layers=snapshot.layers)
        assert two.get("key") == {"by": "one"}
        with two.view(snapshot) as view:
            assert (view.path / "x").exists()


def test_the_store_is_for_its_owner_only(tmp_path: Path) -> None:
    with opened(tmp_path) as store:
        assert store.root.stat().st_mode & 0o777 == 0o700


def test_a_damaged_index_makes_an_empty_store(tmp_path: Path) -> None:
    with opened(tmp_path) as store:
        snapshot = layer(store, "x")
        store.put("key", {}, layers=snapshot.layers)
    (store.root / "index.db").write_bytes(b"not a database" * 100)
    with opened(tmp_path) as store:
        assert store.get("key") is None
        store.put("key", {"new": 1})
        assert store.get("key") == {"new": 1}


def test_an_index_of_another_version_is_not_touched_while_somebody_uses_it(tmp_path: Path) -> None:
    with opened(tmp_path) as store:
        with sqlite3.connect(store.root / "index.db") as db:
            db.execute("PRAGMA user_version = 1")
        db.close()
        with pytest.raises(EmbeddedUnavailable, match=r"is of version 1, .*, and sessions use it"):
            opened(tmp_path)
    with opened(tmp_path) as store:
        store.put("key", {})
        assert store.get("key") == {}


def test_a_store_of_a_newer_version_is_left_alone(tmp_path: Path) -> None:
    with opened(tmp_path) as store:
        store.put("key", {"kept": 1})
    for version, matches in ((99, False), (2, True)):
        with sqlite3.connect(store.root / "index.db") as db:
            db.execute(f"PRAGMA user_version = {version}")
        db.close()
        if matches:
            with opened(tmp_path) as again:
                assert again.get("key") == {"kept": 1}
        else:
            with pytest.raises(EmbeddedUnavailable, match="is of version 99, this engine reads version 2: use that version or a later one"):
                opened(tmp_path)


def a_file(root: Path) -> None:
    root.write_text("")


def in_a_file(root: Path) -> None:
    root.parent.rmdir()
    root.parent.write_text("")


def a_circle(root: Path) -> None:
    root.symlink_to(root)


def a_folder_as_index(root: Path) -> None:
    (root / "index.db").mkdir(parents=True)


def a_file_as_layers(root: Path) -> None:
    root.mkdir()
    (root / "l").write_text("")


@pytest.mark.parametrize(
    ("make", "reason"),
    [
        (a_file, "is not a folder"),
        (in_a_file, "is not a folder"),
        (a_circle, "circle|not a folder"),
        (a_folder_as_index, "its index: unable to open database file"),
        (a_file_as_layers, "is not a folder"),
    ],
)
def test_a_place_where_no_store_can_be_is_said_with_the_way_out(tmp_path: Path, make: Callable[[Path], None], reason: str) -> None:
    root = tmp_path / "in" / "store"
    root.parent.mkdir()
    make(root)
    with pytest.raises(
        EmbeddedUnavailable, match=rf"^the engine's store '.*' cannot be used: .*({reason}).*; set LOCKGATE_STORE to a folder"
    ):
        Store.open(root, rootless=True)
    assert default_budget(root) > 0


def test_a_store_whose_name_no_system_takes(tmp_path: Path) -> None:
    for name in ("n" * 300, "a\0b"):
        with pytest.raises(EmbeddedUnavailable, match=r"cannot be used: .*; set LOCKGATE_STORE"):
            Store.open(tmp_path / name, rootless=True)


def test_a_store_is_for_one_mode(tmp_path: Path) -> None:
    with opened(tmp_path):
        pass
    with pytest.raises(EmbeddedUnavailable, match="was made in root mode, and this engine runs in rootless mode: set LOCKGATE_STORE"):
        Store.open(tmp_path / "store", rootless=True)
