from __future__ import annotations

import asyncio
import io
from typing import TYPE_CHECKING

import pytest

from pipelines.engine.embedded.errors import DiskFull, ImageError
from pipelines.engine.embedded.images import layers, manifest
from pipelines.engine.embedded.images.layout import Variant
from pipelines.engine.embedded.images.manifest import Descriptor, digest_bytes
from pipelines.engine.embedded.images.packing.compression import plain_blocks
from pipelines.engine.embedded.images.references import parse
from pipelines.engine.embedded.images.registry import fetch, pull
from pipelines.engine.embedded.images.registry.publish import pack
from pipelines.engine.embedded.images.registry.skopeo import RegistryAccess
from pipelines.engine.embedded.store.snapshot import Snapshot
from pipelines.engine.embedded.store.store import Store
from pipelines.engine.embedded.tars import LARGEST
from tests.unit.engine.images.trees import Entry, shown, tar

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store.open(tmp_path / "store", rootless=True) as opened:
        yield opened


def keep(store: Store, data: bytes, suffix: str = "") -> Descriptor:
    digest = store.blobs.add(lambda draft: draft.write_bytes(data) and None)
    return Descriptor(manifest.OCI_LAYER + suffix, digest, len(data))


async def assembled(store: Store, *tars: bytes) -> Snapshot:
    blobs = [keep(store, data) for data in tars]
    return await pull.assemble(store, blobs, [digest_bytes(data) for data in tars], asyncio.Semaphore(2))


def paths(store: Store, snapshot: Snapshot) -> list[Path]:
    return [store.layer_path(name) for name in snapshot.layers]


ONE = tar([Entry("tmp/", "dir", mode=0o1777), Entry("a", text="1")])
TWO = tar([Entry("tmp/x", text="2"), Entry("b", "hard", "a")])


async def test_layers_are_unpacked_once_whoever_uses_them(store: Store) -> None:
    first = await assembled(store, ONE)
    second = await assembled(store, ONE, tar([Entry("c")]))
    assert second.layers[0] == first.layers[0]
    assert first.id == digest_bytes(ONE)
    assert second.id == layers.chain_id([digest_bytes(ONE), digest_bytes(tar([Entry("c")]))])


async def test_the_same_layer_at_the_same_time_is_unpacked_once(store: Store) -> None:
    found = await asyncio.gather(*(assembled(store, ONE) for _ in range(4)))
    assert len({snapshot.layers for snapshot in found}) == 1


async def test_a_layer_is_completed_for_the_stack_it_is_on(store: Store) -> None:
    snapshot = await assembled(store, ONE, TWO)
    top = store.layer_path(snapshot.layers[1])
    assert (top / "tmp").stat().st_mode & 0o7777 == 0o1777
    assert shown(paths(store, snapshot)) == {"tmp": ("dir", ""), "tmp/x": ("file", "2"), "a": ("file", "1"), "b": ("file", "1")}
    alone = layers.stored_layer(store, digest_bytes(TWO))
    assert alone is not None
    assert alone.name not in snapshot.layers


async def test_a_link_to_a_link_to_a_layer_below(store: Store) -> None:
    snapshot = await assembled(store, ONE, tar([Entry("b", "hard", "a"), Entry("c", "hard", "b")]))
    found = shown(paths(store, snapshot))
    assert (found["b"], found["c"]) == (("file", "1"), ("file", "1"))


async def test_a_completed_layer_is_still_the_registrys_blob(store: Store) -> None:
    snapshot = await assembled(store, ONE, TWO)
    image = await pack(store, [Variant(snapshot, {}, "linux/amd64")], None, asyncio.Semaphore(1))
    assert [blob.digest for blob in image.blobs] == [digest_bytes(ONE), digest_bytes(TWO)]


async def test_layers_below_one_that_hides_all_are_left_out(store: Store) -> None:
    snapshot = await assembled(store, ONE, tar([Entry(".wh..wh..opq"), Entry("new")]))
    assert shown(paths(store, snapshot)) == {"new": ("file", "")}


async def test_a_layer_that_is_not_what_the_image_says_is_refused_and_forgotten(store: Store) -> None:
    blob = keep(store, ONE)
    with pytest.raises(ImageError, match="is not what its image says"):
        await layers.add(store, blob, digest_bytes(TWO))
    assert layers.stored_layer(store, digest_bytes(TWO)) is None
    assert layers.stored_layer(store, digest_bytes(ONE)) is None


async def test_one_layer_twice_is_two_folders(store: Store) -> None:
    snapshot = await assembled(store, ONE, tar([Entry(".wh.a")]), ONE)
    assert len(set(snapshot.layers)) == 3
    assert shown(paths(store, snapshot))["a"] == ("file", "1")
    image = await pack(store, [Variant(snapshot, {}, "linux/amd64")], None, asyncio.Semaphore(1))
    assert len(image.blobs) == 2


async def test_whiteouts_of_nothing_are_left_out(store: Store) -> None:
    snapshot = await assembled(store, ONE, tar([Entry("tmp/.wh.nothing"), Entry("new/.wh.x"), Entry(".wh.a")]))
    top = store.layer_path(snapshot.layers[1])
    assert sorted(str(path.relative_to(top)) for path in top.rglob("*")) == ["a", "new", "tmp"]


async def test_whiteouts_in_a_folder_that_hides_all_are_left_out(store: Store) -> None:
    snapshot = await assembled(
        store, tar([Entry("d/x"), Entry("d/e/y")]), tar([Entry("d/.wh..wh..opq"), Entry("d/.wh.x"), Entry("d/e/.wh.y")])
    )
    top = store.layer_path(snapshot.layers[1])
    assert sorted(str(path.relative_to(top)) for path in top.rglob("*")) == ["d", "d/e"]


async def test_an_image_without_layers_is_scratch(store: Store) -> None:
    assert (await assembled(store)).layers == ()


async def test_it_is_all_there_in_the_next_session(tmp_path: Path) -> None:
    with Store.open(tmp_path / "s", rootless=True) as store:
        first = await assembled(store, ONE, TWO)
    with Store.open(tmp_path / "s", rootless=True) as store:
        found = [layer for diff_id in map(digest_bytes, (ONE, TWO)) if (layer := layers.stored_layer(store, diff_id))]
        assert await layers.stack(store, found) == first


async def test_our_layers_are_packed_once_in_each_compression(store: Store) -> None:
    name = store.add_layer(lambda target: (target / "f").write_text("x" * 100000) and None, "test")
    snapshot = Snapshot("id", (name,))
    variants = [Variant(snapshot, {}, "linux/amd64")]

    async def blob(compression: str | None) -> Descriptor:
        return (await pack(store, variants, compression, asyncio.Semaphore(1))).blobs[0]

    default, zstd, none = [await blob(compression) for compression in (None, "zstd", "")]
    assert [one.media_type.removeprefix(manifest.OCI_LAYER) for one in (default, zstd, none)] == ["+gzip", "+zstd", ""]
    assert await blob(None) == await blob("gzip") == default
    assert len({_plain(store, one) for one in (default, zstd, none)}) == 1


def _plain(store: Store, blob: Descriptor) -> bytes:
    return b"".join(plain_blocks(io.BytesIO(store.blobs.path(blob.digest).read_bytes())))


@pytest.mark.parametrize(
    ("diff_ids", "expected"),
    [
        (["sha256:a"], "sha256:a"),
        # printf 'sha256:a sha256:b' | sha256sum, and once more with sha256:c
        (["sha256:a", "sha256:b"], "sha256:970a948bffa8de94d6e22d747ba8c95030e6e546909f98f54e99a13005e173a8"),
        (["sha256:a", "sha256:b", "sha256:c"], "sha256:dee159b33409cefa3f6eda71539f006014283e9d9130c18a1dea7bd8a33c9b1b"),
    ],
)
def test_chain_id(diff_ids: Sequence[str], expected: str) -> None:
    assert layers.chain_id(diff_ids) == expected


async def test_an_image_larger_than_the_disk_is_not_damaged(store: Store) -> None:
    large = [Descriptor(manifest.OCI_LAYER, digest_bytes(b"%d" % number), LARGEST) for number in range(1024)]
    arrivals = fetch.BlobArrivals(layer.digest for layer in large)
    with pytest.raises(DiskFull, match=f"no space left on the disk of .* for {LARGEST * 1024} bytes"):
        await fetch.fetch(store, parse("localhost/large"), large, RegistryAccess(), arrivals, unneeded=())
