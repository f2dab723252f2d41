"""Images from registries: what a reference means, and its file system in the store."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pipelines.engine.embedded.errors import ImageDamaged
from pipelines.engine.embedded.images import layers, manifest
from pipelines.engine.embedded.images.registry import skopeo
from pipelines.engine.embedded.images.registry.fetch import BlobArrivals, fetch

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from pipelines.engine.embedded.images.layers import ImageLayer
    from pipelines.engine.embedded.images.manifest import Descriptor, Manifest
    from pipelines.engine.embedded.images.platforms import Platform
    from pipelines.engine.embedded.images.registry.skopeo import RegistryAccess
    from pipelines.engine.embedded.store.snapshot import Snapshot
    from pipelines.engine.embedded.store.store import Store
    from pipelines.foundation.image_reference import ImageReference


@dataclass(frozen=True, slots=True)
class ResolvedImage:
    """What a reference means for one platform; nothing of the file system is fetched yet.

    Attributes:
        reference: normalised, with tag (where one was given or implied) and digest.
        manifest: the platform's.
        config: the whole image configuration (OCI image specification), as it is in the registry.
        platform: what was asked for, normalised.
    """

    reference: ImageReference
    manifest: Manifest
    config: dict[str, Any]
    platform: str

    @property
    def diff_ids(self) -> tuple[str, ...]:
        """Digests of the layers' plain tars, bottom first, as the configuration has them."""
        return tuple((self.config.get("rootfs") or {}).get("diff_ids") or ())


async def digest_of(store: Store, reference: ImageReference, access: RegistryAccess) -> str:
    """The digest a tag stands for now: one request, about 30 ms with a near registry."""
    data = await _inspect(reference, access)
    digest = manifest.digest_bytes(data)
    await _keep(store, f"image manifest {digest}", data)
    return digest


async def resolve(store: Store, reference: ImageReference, platform: Platform, access: RegistryAccess) -> ResolvedImage:
    """Manifest and config of a reference with digest; without any request where it was resolved before."""
    name = str(reference)
    document = manifest.read(await _manifest(store, reference, access), name)
    chosen = reference
    if manifest.is_index(document):
        chosen = reference.at(manifest.choose(document, platform, name).digest)
        document = manifest.read(await _manifest(store, chosen, access), name)
    found = manifest.image(document, chosen.digest, name)
    config = manifest.configuration(await _config(store, chosen, found, access), name)
    return ResolvedImage(reference, found, config, str(platform))


async def _manifest(store: Store, reference: ImageReference, access: RegistryAccess) -> bytes:
    return await _cached(store, f"image manifest {reference.digest}", reference.digest, lambda: _inspect(reference, access))


async def _config(store: Store, reference: ImageReference, found: Manifest, access: RegistryAccess) -> bytes:
    digest = found.config.digest
    return await _cached(store, f"image config {digest}", digest, lambda: _inspect(reference, access, "--config"))


async def _cached(store: Store, key: str, digest: str, fetch: Callable[[], Any]) -> bytes:
    """A small document by digest: from the store, else fetched, checked and kept."""
    record = await asyncio.to_thread(store.get, key)
    if record is not None:
        return str(record["text"]).encode()
    data: bytes = await fetch()
    if manifest.digest_bytes(data) != digest:
        raise ImageDamaged(digest, "the registry answered with something else")
    await _keep(store, key, data)
    return data


async def _keep(store: Store, key: str, data: bytes) -> None:
    try:
        text = data.decode()
    except UnicodeDecodeError:
        raise ImageDamaged(key, "it is not JSON") from None
    await asyncio.to_thread(store.put, key, {"text": text})


async def _inspect(reference: ImageReference, access: RegistryAccess, *flags: str) -> bytes:
    tls = ["--tls-verify=false"] if reference.is_loopback else []
    arguments = ["inspect", "--raw", *flags, *tls, f"docker://{reference.pinned()}"]
    return await skopeo.ask(arguments, reference.domain, access)


async def pull(store: Store, image: ResolvedImage, access: RegistryAccess, workers: asyncio.Semaphore) -> Snapshot:
    """The image's file system, layers fetched and unpacked where the store has them not."""
    blobs = image.manifest.layers
    if len(blobs) != len(image.diff_ids):
        raise ImageDamaged("configuration", f"it lists {len(image.diff_ids)} layers, and the manifest has {len(blobs)}")
    found = await _known(store, image.diff_ids)
    if None in found:
        async with store.lock(f"image pull {image.manifest.digest}"):
            return await _bring(store, image, access, workers)
    return await layers.stack(store, [layer for layer in found if layer is not None])


async def _bring(store: Store, image: ResolvedImage, access: RegistryAccess, workers: asyncio.Semaphore) -> Snapshot:
    """Fetch and unpack at the same time."""
    blobs = image.manifest.layers
    arrivals = BlobArrivals(blob.digest for blob in blobs)
    found = await _known(store, image.diff_ids)
    needed = {blob.digest for blob, layer in zip(blobs, found, strict=True) if layer is None}
    unneeded = {blob.digest for blob in blobs} - needed
    source = image.reference.at(image.manifest.digest)
    try:
        async with asyncio.TaskGroup() as group:
            group.create_task(fetch(store, source, blobs, access, arrivals, unneeded=unneeded))
            done = group.create_task(assemble(store, blobs, image.diff_ids, workers, arrivals))
    except BaseExceptionGroup as errors:
        raise errors.exceptions[0] from None
    return done.result()


async def assemble(
    store: Store, blobs: Sequence[Descriptor], diff_ids: Sequence[str], workers: asyncio.Semaphore, arrivals: BlobArrivals | None = None
) -> Snapshot:
    """The file system of layers, several unpacked at a time, each when its blob has arrived in the store (None: all are there)."""

    async def one(blob: Descriptor, diff_id: str) -> ImageLayer:
        if arrivals is not None:
            await arrivals.wait(blob.digest)
        async with workers:
            return await layers.add(store, blob, diff_id)

    return await layers.stack(store, await asyncio.gather(*map(one, blobs, diff_ids)))


async def _known(store: Store, diff_ids: Sequence[str]) -> list[ImageLayer | None]:
    return await asyncio.to_thread(lambda: [layers.stored_layer(store, diff_id) for diff_id in diff_ids])
