"""Images through real registries: a stand-in for the public one, and the local one."""

from __future__ import annotations

import hashlib
import io
import json
import shutil
import tarfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from ci.machine import catalog, lock, oci, skopeo
from ci.machine.errors import SetupError
from ci.machine.images import Images
from ci.machine.recipes.database import fixture_metadata
from ci.machine.registry import Registry

if TYPE_CHECKING:
    from collections.abc import Callable

    from ci.machine.part import Machine

KINDS = {"python": "debian", "trivy": "go", "trivy-db": "trivy-db"}
NAMES = tuple(KINDS)
CHECKOUT = Path(__file__).resolve().parents[3]
NOBODY = "localhost:1"  # nothing listens there


def describe(machine: Machine, public: str, digests: dict[str, str] | None = None) -> None:
    """Write the two catalogues of images (names and official references; recipes), with the official ones on `public`."""
    official: list[str] = []
    recipes = ["source_date_epoch = 0"]
    for name, kind in KINDS.items():
        at = f"@{digests[name]}" if digests and name in digests else ""
        fixture = str(name == "trivy-db").lower()
        official += [f"[{name}]", 'version = "1"', f'official = "{public}/{name}:1{at}"']
        recipes += [f"[{name}.recipe]", f'kind = "{kind}"', f"fixture = {fixture}", "estimate_s = 1"]
    checkout = machine.paths.checkout
    shutil.copytree(CHECKOUT / "ci/machine", checkout / "ci/machine", ignore=shutil.ignore_patterns("__pycache__"))
    (checkout / "ci/images.toml").write_text("\n".join(recipes))
    (checkout / "pipelines/config").mkdir(parents=True, exist_ok=True)
    (checkout / "pipelines/config/images.toml").write_text("\n".join(official))


def write_layout(folder: Path, content: bytes) -> str:
    tar = io.BytesIO()
    oci.tar_entries([oci.Entry(path="content", data=content)], tar, 0)
    tar.seek(0)
    return oci.write_layout(folder, tar, oci.ImageConfig(architecture="amd64", epoch=0))


def fill_cache(machine: Machine) -> dict[str, str]:
    """Layouts as an earlier build left them; their digests."""
    specs = catalog.load(machine.paths.checkout)
    return {name: write_layout(machine.paths.layouts / f"{name}-{specs[name].key}", name.encode()) for name in NAMES}


def started(machine: Machine) -> tuple[Registry, int]:
    registry = Registry(machine)
    registry.provide()
    record = registry.record()
    assert record is not None
    return registry, record.port


def locked(machine: Machine) -> dict[str, lock.Locked]:
    """The lock, which is the same in every project."""
    found = [lock.read(lock.path(project)) for project in machine.paths.projects]
    assert all(entries == found[0] for entries in found)
    return found[0]


def test_where_nothing_public_answers_images_are_built_and_pushed(machine: Machine) -> None:
    describe(machine, NOBODY)
    digests = fill_cache(machine)
    registry, port = started(machine)
    images = Images(machine, registry)
    assert len(images.todo()) == len(NAMES)
    images.provide()
    found = locked(machine)
    assert {name: entry.reference for name, entry in found.items()} == {
        name: f"localhost:{port}/lockgate/{name}@{digest}" for name, digest in digests.items()
    }
    assert {entry.origin for entry in found.values()} == {"built"}
    assert [name for name, entry in found.items() if entry.fixture] == ["trivy-db"]
    assert Images(machine, registry).todo() == []


def test_a_registry_that_lost_an_image_gets_it_again(machine: Machine) -> None:
    describe(machine, NOBODY)
    fill_cache(machine)
    registry, _ = started(machine)
    Images(machine, registry).provide()
    shutil.rmtree(machine.paths.registry_data / "docker/registry/v2/repositories/lockgate/trivy")
    assert [line.split()[1] for line in Images(machine, registry).todo()] == ["trivy"]
    Images(machine, registry).provide()
    assert Images(machine, registry).todo() == []


def test_a_changed_recipe_makes_its_image_out_of_date(machine: Machine) -> None:
    describe(machine, NOBODY)
    fill_cache(machine)
    registry, _ = started(machine)
    Images(machine, registry).provide()
    file = machine.paths.checkout / "ci/images.toml"
    file.write_text(file.read_text().replace("estimate_s = 1", "estimate_s = 2", 1))
    assert [line.split()[1] for line in Images(machine, registry).todo()] == ["python"]


def test_where_a_public_registry_answers_its_images_are_taken_by_digest(make_machine: Callable[..., Machine], tmp_path: Path) -> None:
    public, machine = make_machine("public"), make_machine("private")
    _, public_port = started(public)
    digests = {name: write_layout(tmp_path / name, f"official {name}".encode()) for name in ("python", "trivy")}
    for name in digests:
        skopeo.push(public.runner, tmp_path / name, f"localhost:{public_port}/{name}:1")
    database = push_database(public, tmp_path / "artifact", f"localhost:{public_port}/trivy-db:1")
    describe(machine, f"localhost:{public_port}", digests)
    registry, port = started(machine)
    Images(machine, registry).provide()
    found = locked(machine)
    assert {entry.origin for entry in found.values()} == {"official"}
    assert not any(entry.fixture for entry in found.values())
    for name, digest in digests.items():
        assert found[name].reference == f"localhost:{public_port}/{name}@{digest}"
    assert found["trivy-db"].reference.startswith(f"localhost:{port}/lockgate/trivy-db@sha256:")
    (layout,) = machine.paths.layouts.glob("trivy-db-*")
    assert oci.read_file(layout, "trivy.db") == database


def test_base_and_tools_come_from_one_world(make_machine: Callable[..., Machine], tmp_path: Path) -> None:
    public, machine = make_machine("public"), make_machine("private")
    _, public_port = started(public)
    write_layout(tmp_path / "trivy", b"official")
    skopeo.push(public.runner, tmp_path / "trivy", f"localhost:{public_port}/trivy:1")
    describe(machine, f"localhost:{public_port}")
    fill_cache(machine)
    registry, _ = started(machine)
    Images(machine, registry).provide()
    assert {name: entry.origin for name, entry in locked(machine).items()} == dict.fromkeys(NAMES, "built")


def test_a_demand_that_cannot_be_met_names_the_images(make_machine: Callable[..., Machine]) -> None:
    machine = make_machine(LOCKGATE_IMAGES="official")
    describe(machine, NOBODY)
    registry, _ = started(machine)
    with pytest.raises(SetupError, match="no official image for python, trivy, trivy-db"):
        Images(machine, registry).provide()
    with pytest.raises(SetupError, match="not one of auto, official, built"):
        Images(make_machine(LOCKGATE_IMAGES="offical"), registry)


def push_database(machine: Machine, folder: Path, reference: str) -> bytes:
    """Push an artifact of the form the official database has: one gzipped layer of a type of its own. Returns trivy.db."""
    content = b"bolt"
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as archive:
        for name, data in (("metadata.json", fixture_metadata(0)), ("trivy.db", content)):
            info = tarfile.TarInfo(name)
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    folder.mkdir()
    layer, config = _blob(folder, packed.getvalue()), _blob(folder, b"{}")
    manifest = {
        "schemaVersion": 2,
        "mediaType": oci.MANIFEST,
        "config": {"mediaType": "application/vnd.aquasec.trivy.config.v1+json", **config},
        "layers": [{"mediaType": "application/vnd.aquasec.trivy.db.layer.v1.tar+gzip", **layer}],
    }
    (folder / "manifest.json").write_text(json.dumps(manifest))
    (folder / "version").write_text("Directory Transport Version: 1.1\n")
    machine.runner.output(["skopeo", "copy", "--dest-tls-verify=false", f"dir:{folder}", f"docker://{reference}"])
    return content


def _blob(folder: Path, data: bytes) -> dict[str, str | int]:
    name = hashlib.sha256(data).hexdigest()
    (folder / name).write_bytes(data)
    return {"digest": f"sha256:{name}", "size": len(data)}
