"""Blobs from a registry, each announced when it is there: unpacking goes on while others still come."""

from __future__ import annotations

import asyncio
import os
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pipelines.engine.embedded.errors import ImageDamaged, RegistryError
from pipelines.engine.embedded.images.layers import work_folder
from pipelines.engine.embedded.images.registry import skopeo
from pipelines.engine.embedded.store.disk_full import disk_full
from pipelines.engine.embedded.tars import LARGEST, Room

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path

    from pipelines.engine.embedded.images.manifest import Descriptor
    from pipelines.engine.embedded.images.registry.skopeo import RegistryAccess
    from pipelines.engine.embedded.store.store import Store
    from pipelines.foundation.image_reference import ImageReference

MARGIN = 16 << 20  # bytes beside the layers: manifest, configuration
CHECK_INTERVAL_S = 0.02  # skopeo tells nobody when a blob is complete (it renames it into place then), so we look


class BlobArrivals:
    """Which blobs are in the store; waits for those that are not yet."""

    def __init__(self, digests: Iterable[str]) -> None:
        self._events = {digest: asyncio.Event() for digest in digests}

    def missing(self) -> set[str]:
        """Digests of blobs that are not in the store yet."""
        return {digest for digest, event in self._events.items() if not event.is_set()}

    def arrived(self, digest: str) -> None:
        """The blob is in the store: who waits for it goes on."""
        self._events[digest].set()

    async def wait(self, digest: str) -> None:
        """Return when the blob is in the store."""
        await self._events[digest].wait()


async def fetch(
    store: Store,
    reference: ImageReference,
    blobs: Sequence[Descriptor],
    access: RegistryAccess,
    arrivals: BlobArrivals,
    *,
    unneeded: Iterable[str],
) -> None:
    """Bring the blobs of an image into the store, where one is missing.

    Args:
        store: where to.
        reference: of the platform's manifest, by digest.
        blobs: the image's layers.
        access: how the registry is asked.
        arrivals: the image's blobs: each is noted there when it has come.
        unneeded: blobs nobody will wait for.

    Raises:
        ImageError: see `skopeo.transfer`.
        ImageDamaged: a layer is said to be larger than any is, or is larger than it is said to be.
        DiskFull: the layers have no room.
    """
    have = {digest: path for digest in arrivals.missing() if (path := await asyncio.to_thread(store.blobs.find, digest))}
    for digest in {*have, *unneeded}:
        arrivals.arrived(digest)
    if not arrivals.missing():
        return
    missing = arrivals.missing()
    expected = _expected(store, {blob.digest: blob.size for blob in blobs if blob.digest in missing})
    with work_folder(store) as folder:
        target = folder / "blobs" / "sha256"
        target.mkdir(parents=True)
        for digest, path in have.items():
            os.link(path, target / _name(digest))
        await _copy(store, reference, access, arrivals, IncomingImage(folder, expected))


def _expected(store: Store, sizes: Mapping[str, int]) -> int:
    """Bytes that will come; there has to be room for them."""
    room = Room.at(str(store.root))
    for digest, size in sizes.items():
        if size > LARGEST:
            raise ImageDamaged(f"layer {digest}", f"it is declared to have {size} bytes, more than {LARGEST}")
    total = sum(sizes.values())
    if total > room.free:
        raise disk_full(store.root, total)
    return total


@dataclass(frozen=True, slots=True)
class IncomingImage:
    """A folder that skopeo writes an image into (OCI image layout), and the bytes that may come."""

    folder: Path
    expected: int

    @property
    def blobs(self) -> Path:
        """Where a blob is when it is complete."""
        return self.folder / "blobs" / "sha256"

    def check(self) -> None:
        """Raise ImageDamaged where more comes than the manifest says: skopeo would write it all before it compares."""
        with os.scandir(self.folder) as entries:
            came = sum(_size(entry) for entry in entries)
        if came > self.expected + MARGIN:
            raise ImageDamaged("layers", f"they are larger than the {self.expected} bytes that the manifest declares")


def _size(entry: os.DirEntry[str]) -> int:
    try:
        return entry.stat(follow_symlinks=False).st_size if entry.is_file(follow_symlinks=False) else 0
    except FileNotFoundError:  # complete by now, and moved to its place
        return 0


async def _copy(store: Store, reference: ImageReference, access: RegistryAccess, arrivals: BlobArrivals, incoming: IncomingImage) -> None:
    tls = ["--src-tls-verify=false"] if reference.is_loopback else []
    flags = ["--quiet", "--remove-signatures", "--dest-oci-accept-uncompressed-layers", *tls]
    arguments = ["copy", *flags, f"docker://{reference.pinned()}", f"oci:{incoming.folder}:image"]
    work = skopeo.transfer(arguments, reference.domain, access, stall_s=access.timeouts.stall_s)
    copying = asyncio.ensure_future(work)
    try:
        while not copying.done():
            await asyncio.wait([copying], timeout=CHECK_INTERVAL_S)
            await _adopt(store, arrivals, incoming.blobs)
            incoming.check()
        await copying
        await _adopt(store, arrivals, incoming.blobs)  # what came while the last look was under way
    finally:
        copying.cancel()
    if lost := arrivals.missing():
        raise RegistryError(f"the registry {reference.domain} did not send the layer {min(lost)}", reference.domain)


async def _adopt(store: Store, arrivals: BlobArrivals, target: Path) -> None:
    for digest in arrivals.missing():
        path = target / _name(digest)
        if path.exists():
            await asyncio.to_thread(_keep, store, path, digest)
            arrivals.arrived(digest)


def _keep(store: Store, path: Path, digest: str) -> None:
    store.blobs.add(lambda draft: os.link(path, draft), digest)


def _name(digest: str) -> str:
    return digest.removeprefix("sha256:")
