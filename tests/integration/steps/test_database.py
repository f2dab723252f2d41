"""The vulnerability database as its makers publish it: an artifact by tag, which is no image and moves."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import tarfile
from typing import TYPE_CHECKING, Any

import dagger
import httpx
import pytest

from pipelines.model import LockedImage
from pipelines.registry import find_manifest, read_reference
from pipelines.steps.scan import database
from pipelines.steps.scan.spec import ScanSpec

if TYPE_CHECKING:
    from pathlib import Path

    from tests.integration.steps.conftest import Workshop

pytestmark = [pytest.mark.engine, pytest.mark.root, pytest.mark.registry, pytest.mark.timeout(300)]

CONFIG = "application/vnd.aquasec.trivy.config.v1+json"
LAYER = "application/vnd.aquasec.trivy.db.layer.v1.tar+gzip"
MANIFEST = "application/vnd.oci.image.manifest.v1+json"


def push(address: str, layer: bytes) -> str:
    """Push an artifact in the form of Trivy's makers; its digest."""

    def blob(data: bytes, media_type: str) -> dict[str, Any]:
        digest = f"sha256:{hashlib.sha256(data).hexdigest()}"
        begun = client.post(f"/v2/{repository}/blobs/uploads/").raise_for_status()
        client.put(httpx.URL(begun.headers["location"]).copy_merge_params({"digest": digest}), content=data).raise_for_status()
        return {"mediaType": media_type, "digest": digest, "size": len(data)}

    host, _, repository = address.partition("/")
    with httpx.Client(base_url=f"http://{host}") as client:
        layers = [{**blob(layer, LAYER), "annotations": {"org.opencontainers.image.title": "db.tar.gz"}}]
        manifest = json.dumps({"schemaVersion": 2, "mediaType": MANIFEST, "config": blob(b"{}", CONFIG), "layers": layers}).encode()
        client.put(f"/v2/{repository}/manifests/2", content=manifest, headers={"Content-Type": MANIFEST}).raise_for_status()
    return f"sha256:{hashlib.sha256(manifest).hexdigest()}"


@pytest.fixture
async def artifact(workshop: Workshop, tmp_path: Path) -> tuple[str, str]:
    """This machine's database once more, as an artifact; its address and digest."""
    folder = tmp_path / "db"
    await dagger.dag.container().from_(workshop.locked["trivy-db"].reference).rootfs().export(str(folder))
    packed = io.BytesIO()
    with gzip.GzipFile(fileobj=packed, mode="wb", mtime=0) as stream, tarfile.open(fileobj=stream, mode="w") as tar:
        for name in ("trivy.db", "metadata.json"):
            tar.add(folder / name, name)
    address = f"{workshop.registry}/tests/trivy-db"
    return address, push(address, packed.getvalue())


async def test_trivy_downloads_it_by_the_digest_its_tag_has_now(workshop: Workshop, artifact: tuple[str, str]) -> None:
    address, digest = artifact
    found = find_manifest(read_reference(f"{address}:2"), {})
    assert (found.digest, found.artifact) == (digest, True)
    host, _, port = workshop.registry.partition(":")
    registry = dagger.dag.host().service([dagger.PortForward(backend=int(port), frontend=5000)], host=host)
    trivy = dagger.dag.container().from_(workshop.locked["trivy"].reference).with_service_binding("registry", registry)
    folder = database.downloaded(trivy.with_env_variable("TRIVY_INSECURE", "true"), f"registry:5000/tests/trivy-db@{digest}")
    assert set(await folder.entries()) == {"metadata.json", "trivy.db"}
    assert database.read_metadata(await folder.file("metadata.json").contents()).updated is not None


async def test_the_digest_is_known_before_anything_is_downloaded(workshop: Workshop, artifact: tuple[str, str]) -> None:
    address, digest = artifact
    moving = LockedImage(name="trivy-db", reference=f"{address}:2", origin="official", artifact=True, layer="package")
    given = workshop.given("scan.sources", locked={**workshop.locked, "trivy-db": moving})
    with pytest.raises(dagger.QueryError):  # in its container Trivy does not reach the registry of this machine
        await database.load(given, ScanSpec())
    assert f"vulnerability database {address}@{digest}\n" in workshop.log
