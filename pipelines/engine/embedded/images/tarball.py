"""Images as tar archives: OCI image layout out; OCI image layout and Docker's format in."""

from __future__ import annotations

import json
import os
import shutil
import tarfile
from contextlib import contextmanager
from typing import IO, TYPE_CHECKING, Any, cast

from pipelines.engine.embedded.errors import ImageError
from pipelines.engine.embedded.images import manifest
from pipelines.engine.embedded.images.compression import BLOCK, HEAD, kind, plain_blocks
from pipelines.engine.embedded.images.layers import folder
from pipelines.engine.embedded.images.manifest import Descriptor, dump
from pipelines.foundation.regular_files import reading

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path
    from typing import BinaryIO

    from pipelines.engine.embedded.images.layout import Layout
    from pipelines.engine.embedded.images.platforms import Platform
    from pipelines.engine.embedded.store.store import Store

NAME = "org.opencontainers.image.ref.name"
LONGEST = 64 << 20  # bytes of a JSON document
Found = tuple[list[Descriptor], dict[str, Any]]


def write(store: Store, image: Layout, path: Path) -> None:
    """Write an image as an archive."""
    documents = {
        "index.json": dump({"schemaVersion": 2, "mediaType": manifest.OCI_INDEX, "manifests": [image.root.json()]}),
        "manifest.json": _docker_manifest(image),
        "oci-layout": dump({"imageLayoutVersion": "1.0.0"}),
    } | {_blob(digest): data for digest, data in image.documents.items()}
    blobs = {_blob(blob.digest): blob for blob in image.blobs}
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
    """What ``docker load`` reads before version 25, which knows no platforms: the first one's image."""
    first = json.loads(image.documents[image.manifests[0].digest])
    layers = [_blob(layer["digest"]) for layer in first["layers"]]
    return dump([{"Config": _blob(first["config"]["digest"]), "RepoTags": None, "Layers": layers}])


def _blob(digest: str) -> str:
    return "blobs/" + digest.replace(":", "/")


def _header(name: str, size: int, kind: bytes = tarfile.REGTYPE) -> bytes:
    member = tarfile.TarInfo(name)
    member.type, member.size = kind, size
    member.mode = 0o755 if kind == tarfile.DIRTYPE else 0o644
    return member.tobuf(tarfile.PAX_FORMAT)


def read(store: Store, path: Path, tag: str, platform: Platform) -> Found:
    """An image's layers, brought into the store, and its configuration.

    Raises:
        ImageError: the archive holds no image, or not that one.
    """
    with _plain(store, path) as file:
        try:
            with tarfile.open(fileobj=cast("IO[bytes]", file), mode="r:") as tar:
                archive = _Archive(store, tar)
                found = archive.oci(tag, platform) if "index.json" in archive.members else archive.docker(tag)
        except tarfile.TarError as error:
            raise ImageError(f"not an image archive: {error}") from None
    if len(found[0]) != len((found[1].get("rootfs") or {}).get("diff_ids") or ()):
        raise ImageError("damaged image archive: manifest and config do not have the same number of layers")
    return found


@contextmanager
def _plain(store: Store, path: Path) -> Iterator[BinaryIO]:
    """The archive, decompressed first where it is compressed: its parts are not read in order."""
    with reading(path) as file:
        packed = kind(file.read(HEAD))
        file.seek(0)
        if not packed:
            yield file
            return
        with folder(store) as place, (place / "plain.tar").open("w+b") as plain:
            for block in plain_blocks(file):
                plain.write(block)
            plain.seek(0)
            yield cast("BinaryIO", plain)


class _Archive:
    def __init__(self, store: Store, tar: tarfile.TarFile) -> None:
        self.store = store
        self.tar = tar
        self.members = {os.path.normpath(member.name): member for member in tar}

    def open(self, name: str) -> IO[bytes]:
        member = self.members.get(os.path.normpath(name))
        file = self.tar.extractfile(member) if member else None
        if file is None:
            raise ImageError(f"not an image archive: {name} is missing")
        return file

    def document(self, name: str) -> Any:
        with self.open(name) as file:
            data = file.read(LONGEST)
        try:
            return json.loads(data)
        except ValueError:
            raise ImageError(f"damaged image archive: {name} is not JSON") from None

    def checked(self, digest: str) -> Any:
        """A document by digest, which it must have."""
        with self.open(_blob(digest)) as file:
            data = file.read(LONGEST)
        if manifest.digest_bytes(data) != digest:
            raise ImageError(f"damaged image archive: {digest} is something else")
        return json.loads(data)

    def oci(self, tag: str, platform: Platform) -> Found:
        """OCI image layout."""
        entries = self.document("index.json").get("manifests") or []
        named = [entry for entry in entries if not tag or _is_named(entry, tag)]
        if not named:
            raise ImageError(f"the image archive has no {tag or 'image'}")
        if len(named) > 1 and all("platform" in entry for entry in named):
            document: dict[str, Any] = {"schemaVersion": 2, "manifests": named}
        else:
            document = self.checked(named[0]["digest"])
        digest = named[0]["digest"]
        while manifest.is_index(document):
            digest = manifest.choose(document, platform, "the image archive").digest
            document = self.checked(digest)
        image = manifest.image(document, digest, "the image archive")
        for layer in image.layers:
            self.keep(_blob(layer.digest), layer.digest)
        return list(image.layers), self.checked(image.config.digest)

    def docker(self, tag: str) -> Found:
        """What ``docker save`` wrote before version 25."""
        if "manifest.json" not in self.members:
            raise ImageError("not an image archive: it has neither index.json nor manifest.json")
        images = self.document("manifest.json")
        named = [image for image in images if not tag or any(_tag(name) == tag or name == tag for name in image.get("RepoTags") or [])]
        if not named:
            raise ImageError(f"the image archive has no {tag or 'image'}")
        layers = [self.layer(name) for name in named[0]["Layers"]]
        return layers, self.document(named[0]["Config"])

    def layer(self, name: str) -> Descriptor:
        with self.open(name) as file:
            packed = kind(file.read(HEAD))
        digest = self.keep(name, None)
        size = self.store.blobs.path(digest).stat().st_size
        return Descriptor(f"{manifest.OCI_LAYER}+{packed}".rstrip("+"), digest, size)

    def keep(self, name: str, digest: str | None) -> str:
        """Copy a member into the store's blobs."""
        if digest is not None and self.store.blobs.find(digest):
            return digest

        def fill(draft: Path) -> None:
            with self.open(name) as file, draft.open("wb") as out:
                shutil.copyfileobj(file, out, BLOCK)

        return self.store.blobs.add(fill, digest)


def _is_named(entry: dict[str, Any], tag: str) -> bool:
    name = (entry.get("annotations") or {}).get(NAME, "")
    return tag in {name, _tag(name)}


def _tag(name: str) -> str:
    return name.rpartition(":")[2] if ":" in name.rpartition("/")[2] else ""
