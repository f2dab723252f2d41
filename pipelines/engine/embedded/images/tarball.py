"""Images out as tar archives, in OCI image layout, which ``docker load`` also reads."""

from __future__ import annotations

import json
import shutil
import tarfile
from typing import TYPE_CHECKING

from pipelines.engine.embedded.images import manifest
from pipelines.engine.embedded.images.loading import blob_path
from pipelines.engine.embedded.images.manifest import dump
from pipelines.engine.embedded.images.packing.compression import BLOCK

if TYPE_CHECKING:
    from pathlib import Path

    from pipelines.engine.embedded.images.layout import Layout
    from pipelines.engine.embedded.store.store import Store


def write(store: Store, image: Layout, path: Path) -> None:
    """Write an image as an archive."""
    documents = {
        "index.json": dump({"schemaVersion": 2, "mediaType": manifest.OCI_INDEX, "manifests": [image.root.json()]}),
        "manifest.json": _docker_manifest(image),
        "oci-layout": dump({"imageLayoutVersion": "1.0.0"}),
    } | {blob_path(digest): data for digest, data in image.documents.items()}
    blobs = {blob_path(blob.digest): blob for blob in image.blobs}
    with path.open("wb") as out:
        for name in ("blobs", "blobs/sha256"):
            out.write(_header(name, 0, tarfile.DIRTYPE))
        for name in sorted({*documents, *blobs}):
            if name in documents:
                out.write(_header(name, len(documents[name])) + documents[name])
            else:
                out.write(_header(name, blobs[name].size))
                with store.blobs.path(blobs[name].digest).open("rb") as blob:
                    shutil.copyfileobj(blob, out, BLOCK)
            out.write(bytes(-out.tell() % tarfile.BLOCKSIZE))
        out.write(bytes(2 * tarfile.BLOCKSIZE))


def _docker_manifest(image: Layout) -> bytes:
    """What ``docker load`` reads before version 25, which does not support platforms: the first platform's image."""
    first = json.loads(image.documents[image.manifests[0].digest])
    layers = [blob_path(layer["digest"]) for layer in first["layers"]]
    return dump([{"Config": blob_path(first["config"]["digest"]), "RepoTags": None, "Layers": layers}])


def _header(name: str, size: int, kind: bytes = tarfile.REGTYPE) -> bytes:
    member = tarfile.TarInfo(name)
    member.type, member.size = kind, size
    member.mode = 0o755 if kind == tarfile.DIRTYPE else 0o644
    return member.tobuf(tarfile.PAX_FORMAT)
