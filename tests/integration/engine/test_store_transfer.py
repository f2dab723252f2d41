"""The cache carried to a machine that starts empty."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING

import pytest

from pipelines.engine.embedded.errors import InvalidInput, NotFound
from pipelines.engine.embedded.store.snapshot import SCRATCH, Snapshot
from pipelines.engine.embedded.store.store import Store
from tests.integration.engine.store_trees import read_tree

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

pytestmark = [pytest.mark.root, pytest.mark.usefixtures("private_mounts")]


def fill(store: Store) -> tuple[Snapshot, str, str]:
    """Two layers (the upper one with whiteouts and an opaque folder), an output, a blob, a volume; and a result that needs them."""
    with store.draft(SCRATCH) as draft:
        root = draft.mount()
        for name in ("gone", "d/old"):
            (root / name).parent.mkdir(exist_ok=True)
            (root / name).write_text("1")
        (root / "d" / "old").chmod(0o4755)
        one = draft.commit("one")
    with store.draft(one) as draft:
        root = draft.mount()
        (root / "gone").unlink()
        (root / "d" / "old").unlink()
        (root / "d").rmdir()
        (root / "d").mkdir()
        (root / "d" / "new").write_text("2")
        two = draft.commit("two")
    output = store.new_output()
    output.write_text("said")
    blob = store.blobs.add(lambda path: path.write_bytes(b"blob"))
    store.put("key", {"layers": two.layers}, layers=two.layers, outputs=[output.name], blobs=[blob], alias=["alias"], label="exec", cost=2)
    asyncio.run(write(store, "from one"))
    return two, output.name, blob


async def write(store: Store, text: str) -> None:
    async with store.volume("pip") as path:
        (path / "wheel").write_text(text)


async def read(store: Store) -> str:
    async with store.volume("pip") as path:
        return (path / "wheel").read_text()


def opened(root: Path, *, rootless: bool = False) -> Store:
    return Store.open(root, rootless=rootless)


def test_everything_arrives(tmp_path: Path) -> None:
    with opened(tmp_path / "one") as store:
        snapshot, output, blob = fill(store)
        sent = store.export_cache(tmp_path / "cache")
    with opened(tmp_path / "two") as store:
        got = store.import_cache(tmp_path / "cache")
        assert (sent.results, sent.objects, sent.skipped) == (got.results, got.objects, got.skipped) == (1, 5, ())
    with opened(tmp_path / "two") as store:
        assert store.get("alias") == {"layers": list(snapshot.layers)}
        with store.view(snapshot) as view:
            assert read_tree(view.path) == {"d": "folder", "d/new": "file:2"}
        assert store.output_path(output).read_text() == "said"
        found = store.blobs.find(blob)
        assert found is not None
        assert found.read_bytes() == b"blob"
        assert asyncio.run(read(store)) == "from one"


def test_what_did_not_change_is_not_written_again_and_what_is_gone_goes(tmp_path: Path) -> None:
    with opened(tmp_path / "one") as store:
        fill(store)
        assert store.export_cache(tmp_path / "cache").written == 5
        before = {path.name for path in (tmp_path / "cache" / "objects").iterdir()}
        assert store.export_cache(tmp_path / "cache").written == 0
        asyncio.run(write(store, "changed"))
        assert store.export_cache(tmp_path / "cache").written == 1
        after = {path.name for path in (tmp_path / "cache" / "objects").iterdir()}
    assert (len(after), len(before - after)) == (5, 1)


def test_files_of_others_in_the_folder_stay(tmp_path: Path) -> None:
    kept = tmp_path / "cache" / "objects" / "info"
    kept.mkdir(parents=True)
    (kept.parent / "notes.txt").write_text("mine")
    (kept.parent / ("0" * 64)).write_text("of an export before")
    with opened(tmp_path / "one") as store:
        fill(store)
        store.export_cache(tmp_path / "cache")
    assert kept.is_dir()
    assert (kept.parent / "notes.txt").exists()
    assert not (kept.parent / ("0" * 64)).exists()


def test_what_the_store_has_stays_as_it_is(tmp_path: Path) -> None:
    with opened(tmp_path / "one") as store:
        fill(store)
        store.export_cache(tmp_path / "cache")
    with opened(tmp_path / "two") as store:
        asyncio.run(write(store, "from two"))
        store.put("key", {"mine": True})
        assert store.import_cache(tmp_path / "cache").written == 4
        assert store.import_cache(tmp_path / "cache").written == 0
        assert asyncio.run(read(store)) == "from two"
        assert store.get("key") == {"mine": True}


def test_what_is_damaged_is_left_out_with_all_that_needs_it(tmp_path: Path) -> None:
    with opened(tmp_path / "one") as store:
        fill(store)
        store.put("other", {"fine": 1})
        store.export_cache(tmp_path / "cache")
    manifest = json.loads((tmp_path / "cache" / "lockgate-cache.json").read_text())
    layer = next(name for name in manifest["objects"] if name.startswith("l/"))
    file = tmp_path / "cache" / "objects" / manifest["objects"][layer][-1]
    file.write_bytes(file.read_bytes()[:-512] + b"x" * 512)
    with opened(tmp_path / "two") as store:
        got = store.import_cache(tmp_path / "cache")
        assert [reason.split(":")[0] for reason in got.skipped] == [layer]
        assert store.get("key") is None
        assert store.get("other") == {"fine": 1}
        assert not (store.root / layer).exists()


@pytest.mark.parametrize(
    "edit",
    [
        lambda name, entry: ("../../evil", entry),
        lambda name, entry: ("volumes/" + "0" * 32, ["volume", *entry[1:]]),
        lambda name, entry: (name, [*entry[:-1], "../../../etc/passwd"]),
        lambda name, entry: (name, ["layer"]),
        lambda name, entry: ("blobs/sha256/" + "0" * 64, ["file", *entry[1:]]),
    ],
)
def test_a_manifest_cannot_name_what_is_elsewhere(tmp_path: Path, edit: Callable[[str, list[object]], tuple[str, list[object]]]) -> None:
    with opened(tmp_path / "one") as store:
        fill(store)
        store.export_cache(tmp_path / "cache")
    path = tmp_path / "cache" / "lockgate-cache.json"
    manifest = json.loads(path.read_text())
    layer = next(name for name in manifest["objects"] if name.startswith("l/"))
    manifest["objects"] = dict([edit(layer, manifest["objects"][layer])])
    path.write_text(json.dumps(manifest))
    with opened(tmp_path / "two") as store:
        got = store.import_cache(tmp_path / "cache")
        assert (got.results, got.objects, len(got.skipped)) == (0, 0, 1)
    assert not (tmp_path / "evil").exists()


def test_caches_that_cannot_be_used_say_why(tmp_path: Path) -> None:
    with opened(tmp_path / "one") as store:
        with pytest.raises(NotFound, match=r"does not hold an exported cache: lockgate-cache\.json is missing\. Make one with"):
            store.import_cache(tmp_path)
        store.export_cache(tmp_path / "cache")
        manifest = tmp_path / "cache" / "lockgate-cache.json"
        manifest.write_text(manifest.read_text().replace('"root"', '"rootless"'))
        with pytest.raises(InvalidInput, match="written by an engine in rootless mode; this one runs in root mode"):
            store.import_cache(tmp_path / "cache")
        manifest.write_text("{}")
        with pytest.raises(InvalidInput, match="is not an exported cache"):
            store.import_cache(tmp_path / "cache")
