"""No cache from elsewhere, however broken, hangs the import, leads out of the store, leaves something behind or is an internal error."""

from __future__ import annotations

import hashlib
import json
import os
import random
import shutil
from typing import TYPE_CHECKING, Any

import pytest

from pipelines.engine.embedded.errors import EngineError
from pipelines.engine.embedded.store.store import Store
from tests.unit.engine.images import mutants

if TYPE_CHECKING:
    from pathlib import Path

MANIFEST = "lockgate-cache.json"


@pytest.fixture(scope="module")
def exported(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small cache: a layer, an output, a result."""
    place = tmp_path_factory.mktemp("exported")
    with Store.open(place / "store", rootless=True) as store:

        def fill(target: Path) -> None:
            (target / "d").mkdir()
            (target / "d" / "f").write_text("x")
            (target / "l").symlink_to("d/f")

        name = store.add_layer(fill, "id")
        output = store.new_output()
        output.write_text("out")
        store.put("key", {"a": 1}, layers=[name], outputs=[output.name], alias=["other"])
        store.export_cache(place / "cache")
    return place / "cache"


@pytest.mark.parametrize(
    "seeds",
    [
        pytest.param(range(150), id="some"),
        pytest.param(range(150, 10_000), id="all", marks=[pytest.mark.slow, pytest.mark.timeout(3600)]),
    ],
)
def test_broken_caches(exported: Path, tmp_path: Path, seeds: range) -> None:
    document = json.loads((exported / MANIFEST).read_text())
    with Store.open(tmp_path / "store", rootless=True) as store:
        before = {path.name for path in store.workspace.tmp.rglob("*")}
        for number in seeds:
            cache = tmp_path / "cache"
            shutil.copytree(exported, cache)
            (cache / MANIFEST).write_bytes(broken(document, cache, random.Random(number)))
            try:
                store.import_cache(cache)
            except EngineError:
                pass
            except BaseException as error:
                raise AssertionError(f"seed {number}") from error
            shutil.rmtree(cache)
            assert {path.name for path in store.workspace.tmp.rglob("*")} == before, number
    assert sorted(path.name for path in tmp_path.iterdir()) == ["store"]


def broken(document: dict[str, Any], cache: Path, seed: random.Random) -> bytes:
    """The manifest, broken; or one that names an object with broken content."""
    if seed.random() < 0.5:
        return mutants.broken_document(document, seed)
    changed = json.loads(json.dumps(document))
    name, entry = seed.choice(sorted(changed["objects"].items()))
    data = bytearray((cache / "objects" / entry[-1]).read_bytes())
    seed.choice(mutants.BREAKS)(data, seed)
    entry[-1] = hashlib.sha256(data).hexdigest()
    (cache / "objects" / entry[-1]).write_bytes(data)
    fresh = f"{name[:-1]}{seed.randrange(1000, 9_999_999)}"  # another object: what the store has already stays
    changed["objects"][fresh] = changed["objects"].pop(name)
    changed["results"][0]["uses"] = [fresh if used == name else used for used in changed["results"][0]["uses"]]
    return json.dumps(changed).encode()


def test_a_pipe_in_the_place_of_an_object_is_left_out(exported: Path, tmp_path: Path) -> None:
    cache = tmp_path / "cache"
    shutil.copytree(exported, cache)
    for path in (cache / "objects").iterdir():
        path.unlink()
        os.mkfifo(path)
    with Store.open(tmp_path / "store", rootless=True) as store:
        done = store.import_cache(cache)
        assert (done.results, done.objects, len(done.skipped)) == (0, 0, 2)
