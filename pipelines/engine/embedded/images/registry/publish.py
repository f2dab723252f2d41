"""Images to registries: layers packed once, documents with one spelling, sent by skopeo, which leaves out what the registry has."""

from __future__ import annotations

import asyncio
import os
from typing import TYPE_CHECKING

from pipelines.engine.embedded.errors import InvalidInput
from pipelines.engine.embedded.images import layers, manifest
from pipelines.engine.embedded.images.layers import ImageLayer, work_folder
from pipelines.engine.embedded.images.layout import Layout, layout
from pipelines.engine.embedded.images.manifest import Descriptor
from pipelines.engine.embedded.images.packing import worker
from pipelines.engine.embedded.images.registry import skopeo

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from pipelines.engine.embedded.images.layout import Variant
    from pipelines.engine.embedded.images.registry.skopeo import RegistryAccess
    from pipelines.engine.embedded.store.store import Store
    from pipelines.foundation.image_reference import ImageReference

DEFAULT = "gzip"  # what every registry, runtime and scanner reads
VERSION = "Directory Transport Version: 1.1\n"


async def pack(
    store: Store, variants: Sequence[Variant], compression: str | None, workers: asyncio.Semaphore, *, docker: bool = False
) -> Layout:
    """The documents of an image, its layers packed where no blob of them is known.

    Args:
        store: has the variants' snapshots.
        variants: one for each platform.
        compression: every layer in this one (``""``: none); None: what comes from a registry stays as it is, ours are gzip.
        workers: limits how many layers are packed at a time.
        docker: Docker's media types in place of OCI's.
    """

    async def one(name: str) -> ImageLayer:
        async with workers, store.lock(f"layer blob {name}"):
            return await asyncio.to_thread(lambda: layers.blob_of(store, name, compression) or _pack(store, name, compression))

    names = dict.fromkeys(name for variant in variants for name in variant.snapshot.layers)
    packed = dict(zip(names, await asyncio.gather(*map(one, names)), strict=True))
    return layout([(variant, [packed[name] for name in variant.snapshot.layers]) for variant in variants], docker=docker)


def _pack(store: Store, name: str, compression: str | None) -> ImageLayer:
    wanted = DEFAULT if compression is None else compression
    path = store.layer_path(name)
    found: dict[str, str | int] = {}
    digest = store.blobs.add(lambda draft: found.update(worker.pack_layer(path, draft, wanted, size=_size(path))))
    blob = Descriptor(f"{manifest.OCI_LAYER}+{wanted}".rstrip("+"), digest, int(found["size"]))
    layer = ImageLayer(name, str(found["diff_id"]), blob)
    layers.remember(store, layer, wanted, own=wanted == DEFAULT)  # one asked for once changes no other digest
    return layer


def _size(path: Path) -> int:
    """Bytes in a layer, counted no further than it takes to call it big."""
    total, pending = 0, [str(path)]
    while pending and total <= worker.SMALL:
        with os.scandir(pending.pop()) as entries:
            for entry in entries:
                total += 4096 + entry.stat(follow_symlinks=False).st_size
                if entry.is_dir(follow_symlinks=False):
                    pending.append(entry.path)
    return total


async def publish(store: Store, image: Layout, reference: ImageReference, access: RegistryAccess) -> str:
    """Send an image to a registry.

    Returns:
        ``registry/repository:tag@sha256:…``

    Raises:
        InvalidInput: the reference has a digest.
        RegistryError: the registry cannot be reached, or refuses.
    """
    if reference.digest:
        raise InvalidInput(f"{reference}: an image is published under a tag, its digest follows from its content")
    target = reference.with_default_tag()
    with work_folder(store) as folder:
        await asyncio.to_thread(_write, store, image, folder)
        tls = ["--dest-tls-verify=false"] if target.is_loopback else []
        arguments = ["copy", "--quiet", "--all", "--remove-signatures", "--preserve-digests", *tls, f"dir:{folder}", f"docker://{target}"]
        await skopeo.transfer(arguments, target.domain, access, stall_s=access.timeouts.commit_s)
    return str(target.at(image.root.digest))


def _write(store: Store, image: Layout, folder: Path) -> None:
    """The layout of skopeo's ``dir:``, which holds manifests of any media type as they are."""
    (folder / "version").write_text(VERSION)
    for digest, data in image.documents.items():
        name = digest.removeprefix("sha256:")
        is_manifest = any(one.digest == digest for one in image.manifests)
        (folder / ("manifest.json" if digest == image.root.digest else f"{name}.manifest.json" if is_manifest else name)).write_bytes(data)
    for blob in image.blobs:
        os.link(store.blobs.path(blob.digest), folder / blob.digest.removeprefix("sha256:"))
