"""Images in from tar archives: OCI image layout, and what ``docker save`` writes. The archive may come from anywhere."""

from __future__ import annotations

import os
import shutil
from contextlib import ExitStack, contextmanager
from typing import IO, TYPE_CHECKING, Any

from pipelines.engine.embedded import tars
from pipelines.engine.embedded.errors import ImageDamaged, ImageError, InvalidInput
from pipelines.engine.embedded.images import documents, manifest
from pipelines.engine.embedded.images.layers import work_folder
from pipelines.engine.embedded.images.manifest import Descriptor
from pipelines.engine.embedded.images.packing.compression import BLOCK, HEAD, kind, plain_blocks
from pipelines.engine.embedded.store.disk_full import disk_full
from pipelines.engine.embedded.tars import Damaged, Room, SeekableReader, shown
from pipelines.foundation.regular_files import reading

if TYPE_CHECKING:
    import tarfile
    from collections.abc import Iterator
    from pathlib import Path

    from pipelines.engine.embedded.images.platforms import Platform
    from pipelines.engine.embedded.store.store import Store

NAME = "org.opencontainers.image.ref.name"
PART = "archive"
MOST = 100_000  # members; an image has a few for each layer
MOST_INDEXES = 8  # in each other
Found = tuple[list[Descriptor], dict[str, Any]]


def read(store: Store, path: Path, tag: str, platform: Platform) -> Found:
    """An image's layers, brought into the store, and its configuration.

    Raises:
        ImageDamaged: the archive is not what it has to be.
        ImageError: it holds no image, or not that one.
        DiskFull: there is no room for it.
    """
    try:
        with _plain(store, path) as file:
            source = SeekableReader(file)
            with _opened(source) as tar:
                archive = _Archive(store, tar, source)
                layers, config = archive.oci(tag, platform) if "index.json" in archive.members else archive.docker(tag)
    except Damaged as error:
        raise ImageDamaged(PART, str(error)) from None
    if len(layers) != len((config.get("rootfs") or {}).get("diff_ids") or ()):
        raise ImageDamaged(PART, "manifest and configuration do not have the same number of layers")
    return layers, config


@contextmanager
def _opened(source: SeekableReader) -> Iterator[tarfile.TarFile]:
    with ExitStack() as stack:
        try:
            tar = stack.enter_context(tars.opened(source))
        except Damaged as error:
            raise ImageError(f"not an image archive: {error}") from None
        yield tar


@contextmanager
def _plain(store: Store, path: Path) -> Iterator[IO[bytes]]:
    """The archive, decompressed first where it is compressed: its parts are not read in order."""
    with reading(path) as file:
        packed = kind(file.read(HEAD))
        file.seek(0)
        if not packed:
            yield file
            return
        with work_folder(store) as folder, (folder / "plain.tar").open("w+b") as plain:
            room = Room.at(str(folder)).free
            for block in plain_blocks(file):
                room -= plain.write(block)
                if room < 0:
                    raise disk_full(folder)
            plain.seek(0)
            yield plain


class _Archive:
    def __init__(self, store: Store, tar: tarfile.TarFile, source: SeekableReader) -> None:
        self.store = store
        self.tar = tar
        self.members = {os.path.normpath(member.name): member for member in tars.members(tar, source, most=MOST)}
        source.indexing = False

    def open(self, name: str) -> IO[bytes]:
        """A file of the archive, links followed (older versions of docker write them for equal layers)."""
        member = self.members.get(os.path.normpath(name))
        if member is None:
            raise ImageDamaged(PART, f"{shown(name)} is missing")
        if member.issparse():
            raise Damaged(f"{shown(name)}: is a file with holes")
        try:
            file = self.tar.extractfile(member)
        except (KeyError, RecursionError):
            file = None  # a link that leads nowhere, or in a circle
        if file is None:
            raise Damaged(f"{shown(name)}: is not a file")
        return file

    def content(self, name: str) -> bytes:
        """The content of a document."""
        with self.open(name) as file:
            return file.read(documents.LARGEST + 1)

    def checked(self, digest: str) -> bytes:
        """A document by digest, which it must have."""
        data = self.content(blob_path(digest))
        if manifest.digest_bytes(data) != digest:
            raise ImageDamaged(PART, f"{digest} is something else")
        return data

    def oci(self, tag: str, platform: Platform) -> Found:
        """OCI image layout."""
        entries = documents.parse(self.content("index.json"), "index.json", documents.MANIFEST).get("manifests") or []
        named = [entry for entry in entries if not tag or _is_named(entry, tag)]
        if not named:
            raise ImageError(f"the image archive has no {tag or 'image'}")
        digest = str(named[0]["digest"])
        if len(named) > 1 and all(entry.get("platform") for entry in named):
            document: dict[str, Any] = {"schemaVersion": 2, "manifests": named}
        else:
            document = manifest.read(self.checked(digest), digest)
        for _ in range(MOST_INDEXES):
            if not manifest.is_index(document):
                break
            digest = manifest.choose(document, platform, "the image archive").digest
            document = manifest.read(self.checked(digest), digest)
        image = manifest.image(document, digest, "the image archive")
        for layer in image.layers:
            self.keep(blob_path(layer.digest), layer.digest)
        return list(image.layers), manifest.configuration(self.checked(image.config.digest), digest)

    def docker(self, tag: str) -> Found:
        """What ``docker save`` wrote before version 25."""
        if "manifest.json" not in self.members:
            raise ImageError("not an image archive: it has neither index.json nor manifest.json")
        images = documents.value(self.content("manifest.json"), "manifest.json", documents.ARCHIVE)
        named = [image for image in images if not tag or any(tag in {name, _tag(name)} for name in image.get("RepoTags") or [])]
        if not named:
            raise ImageError(f"the image archive has no {tag or 'image'}")
        layers = [self.layer(name) for name in named[0].get("Layers") or []]
        return layers, manifest.configuration(self.content(named[0]["Config"]), "the image archive")

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

        try:
            with tars.parsing():
                return self.store.blobs.add(fill, digest)
        except InvalidInput as error:
            raise ImageDamaged(PART, error.message) from None


def blob_path(digest: str) -> str:
    """Where the OCI image layout has a blob."""
    return "blobs/" + digest.replace(":", "/")


def _is_named(entry: dict[str, Any], tag: str) -> bool:
    name = (entry.get("annotations") or {}).get(NAME) or ""
    return tag in {name, _tag(name)}


def _tag(name: str) -> str:
    return name.rpartition(":")[2] if ":" in name.rpartition("/")[2] else ""
