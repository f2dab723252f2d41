"""No image, however broken, hangs the engine, leads out of its folder, fills the disk, leaves something behind or is an internal error."""

from __future__ import annotations

import random
import time
from typing import TYPE_CHECKING

import pytest

from pipelines.engine.embedded.errors import EngineError, ImageDamaged, ImageError
from pipelines.engine.embedded.images import manifest, platforms
from pipelines.engine.embedded.images.images import Images
from pipelines.engine.embedded.images.layout import Variant, layout
from pipelines.engine.embedded.images.manifest import digest_bytes, dump
from pipelines.engine.embedded.images.packing.stream import LayerStream
from pipelines.engine.embedded.images.packing.unpack import unpack
from pipelines.engine.embedded.ops.values.config import Config
from pipelines.engine.embedded.store.snapshot import SCRATCH
from pipelines.engine.embedded.store.store import Store
from pipelines.engine.embedded.store.trees.measure import measure
from pipelines.engine.embedded.store.trees.removing import remove
from pipelines.engine.embedded.tars import Damaged
from tests.unit.engine.images import mutants
from tests.unit.engine.images.trees import MARK

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

MOST = 4 << 20  # bytes on the disk: a broken layer here has a few kilobytes of content
LONGEST_S = 20.0  # of one round, on a busy machine


def rounds(some: int, all_of_them: int = 10_000) -> pytest.MarkDecorator:
    """A slice in every run, the rest in `make test-long`."""
    longer = [pytest.mark.slow, pytest.mark.timeout(3600)]
    return pytest.mark.parametrize(
        "seeds", [pytest.param(range(some), id="some"), pytest.param(range(all_of_them), id="all", marks=longer)]
    )


@rounds(300)
def test_broken_layers(tmp_path: Path, seeds: range) -> None:
    outside = tmp_path / "x"
    outside.mkdir()
    (outside / "kept").write_text("kept")
    before = (outside / "kept").stat()
    for seed in seeds:
        data = mutants.broken_tar(random.Random(seed))
        target = tmp_path / "layer"
        target.mkdir()
        began = time.monotonic()
        try:
            with LayerStream(iter([data])) as stream:
                unpack(stream, str(target), opaque_mark=MARK)
        except (Damaged, EngineError):
            pass
        except BaseException as error:
            raise AssertionError(f"seed {seed}") from error
        assert time.monotonic() - began < LONGEST_S, seed
        assert measure(target).size < MOST, seed
        remove(target, tmp_path)
        assert sorted(path.name for path in tmp_path.iterdir()) == ["x"], seed
    assert (outside / "kept").stat() == before


@rounds(400)
def test_broken_documents(seeds: range) -> None:
    for number in seeds:
        seed = random.Random(number)
        try:
            for platform in ("linux/amd64", "linux/arm/v7"):
                found = manifest.read(mutants.broken_document(seed.choice((mutants.MANIFEST, mutants.INDEX)), seed), "x")
                if manifest.is_index(found):
                    manifest.choose(found, platforms.parse(platform), "x")
                else:
                    manifest.image(found, mutants.DIGEST, "x")
        except ImageError:
            pass
        except BaseException as error:
            raise AssertionError(f"seed {number}") from error
        try:
            config = manifest.configuration(mutants.broken_document(mutants.CONFIG, seed), "x")
        except ImageDamaged:
            continue
        except BaseException as error:
            raise AssertionError(f"seed {number}") from error
        dump(Config.from_oci(config.get("config") or {}).to_oci())
        layout([(Variant(SCRATCH, config, "linux/amd64"), [])])


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store.open(tmp_path / "store", rootless=True) as opened:
        yield opened


@rounds(60, 2000)
async def test_broken_archives(store: Store, tmp_path: Path, seeds: range) -> None:
    images = Images(store)
    for number in seeds:
        path = tmp_path / "image.tar"
        path.write_bytes(broken_archive(random.Random(number)))
        before = left(store)
        try:
            await images.load(path)
        except EngineError:
            assert left(store) == before, number
        except BaseException as error:
            raise AssertionError(f"seed {number}") from error


def left(store: Store) -> list[str]:
    """What is under way in the store."""
    return sorted(path.name for path in store.workspace.tmp.iterdir())


def broken_archive(seed: random.Random) -> bytes:
    """An image whose parts fit, but for one that is broken."""
    good = seed.choice(("layer", "config", "manifest", "tar"))
    layer = mutants.broken_tar(seed) if good == "layer" else mutants.layer(seed)
    config = dump(mutants.CONFIG | {"rootfs": {"type": "layers", "diff_ids": [digest_bytes(layer)]}})
    config = mutants.broken_document(mutants.CONFIG, seed) if good == "config" else config
    described = [
        {"mediaType": kind, "digest": digest_bytes(data), "size": len(data)}
        for kind, data in ((manifest.OCI_CONFIG, config), (manifest.OCI_LAYER, layer))
    ]
    document = {"schemaVersion": 2, "mediaType": manifest.OCI_MANIFEST, "config": described[0], "layers": described[1:]}
    written = mutants.broken_document(document, seed) if good == "manifest" else dump(document)
    index = dump({"schemaVersion": 2, "manifests": [{"mediaType": "x", "digest": digest_bytes(written), "size": len(written)}]})
    blobs = {f"blobs/sha256/{digest_bytes(data)[7:]}": data for data in (layer, config, written)}
    data = bytearray(mutants.archive({"index.json": index, **blobs}))
    if good == "tar":
        for _ in range(seed.randrange(1, 4)):
            seed.choice(mutants.BREAKS)(data, seed)
    return bytes(data)
