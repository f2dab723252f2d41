"""Images as one session sees them; what other rooms call."""

from __future__ import annotations

import asyncio
import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pipelines.engine.embedded.errors import ImageError, ImageNotFound
from pipelines.engine.embedded.images import loading, platforms, references, tarball
from pipelines.engine.embedded.images.registry import publish, pull
from pipelines.engine.embedded.images.registry.skopeo import RegistryAccess, RegistryTimeouts
from pipelines.foundation.single_flight import SingleFlight

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from pipelines.engine.embedded.images.layout import Variant
    from pipelines.engine.embedded.images.registry.pull import ResolvedImage
    from pipelines.engine.embedded.store.snapshot import Snapshot
    from pipelines.engine.embedded.store.store import Store
    from pipelines.foundation.image_reference import ImageReference
    from pipelines.foundation.registry_login import RegistryLogin


@dataclass(frozen=True, slots=True)
class StoredImage:
    """An image in the store.

    Attributes:
        snapshot: its file system.
        config: the whole image configuration (OCI image specification).
        ref: ``name:tag@sha256:…``; empty for one from an archive.
    """

    snapshot: Snapshot
    config: dict[str, Any]
    ref: str


class Images:
    """Pulls, publishes, reads and writes images. A tag is asked for once, then means the same to the end of the session.

    Args:
        store: where layers, blobs and documents are kept.
        timeouts: how long registries are waited for.
    """

    def __init__(self, store: Store, timeouts: RegistryTimeouts | None = None) -> None:
        self._store = store
        self._timeouts = timeouts or RegistryTimeouts()
        self._workers = asyncio.Semaphore(max(2, os.cpu_count() or 1))
        self._tags: dict[str, str] = {}
        self._asking: SingleFlight[str] = SingleFlight()

    async def resolve(self, address: str, platform: str = "", logins: Mapping[str, RegistryLogin] | None = None) -> ResolvedImage:
        """What an address means for a platform: manifest and config, no layers.

        Args:
            address: any image reference; no tag and no digest means ``latest``.
            platform: by default this machine's.
            logins: credentials by registry (``logins.registry`` gives the key), besides the user's own.

        Raises:
            InvalidReference: the address is not an image reference.
            ImageNotFound: there is no such image.
            ImageError: it cannot be used.
            RegistryError: the registry cannot be asked.
            Unavailable: skopeo is not installed.
        """
        reference = references.parse(address).with_default_tag()
        wanted = platforms.parse(platform) if platform else platforms.host()
        try:
            digest = reference.digest or await self._digest(reference, logins or {})
            return await pull.resolve(self._store, reference.at(digest), wanted, RegistryAccess(logins or {}, self._timeouts))
        except ImageNotFound:
            raise ImageNotFound(f"{_failure(reference, str(wanted))}: {reference}: not found") from None
        except ImageError as error:
            error.prepend(_failure(reference, str(wanted)))
            raise

    async def _digest(self, reference: ImageReference, logins: Mapping[str, RegistryLogin]) -> str:
        name = str(reference)
        if name not in self._tags:
            access = RegistryAccess(logins, self._timeouts)
            key = name, frozenset(logins.items())  # who asks with other credentials may get another answer
            self._tags[name] = await self._asking.do(key, lambda: pull.digest_of(self._store, reference, access))
        return self._tags[name]

    async def pull(self, image: ResolvedImage, logins: Mapping[str, RegistryLogin] | None = None) -> StoredImage:
        """The image's file system. What was pulled before, in any session, takes no network."""
        try:
            snapshot = await pull.pull(self._store, image, RegistryAccess(logins or {}, self._timeouts), self._workers)
        except ImageError as error:
            error.prepend(f"failed to pull {image.reference}")
            raise
        return StoredImage(snapshot, image.config, str(image.reference))

    async def publish(
        self,
        variants: Sequence[Variant],
        address: str,
        logins: Mapping[str, RegistryLogin] | None = None,
        *,
        compression: str | None = None,
        docker: bool = False,
    ) -> str:
        """Send an image, for one platform or several, to a registry; returns ``name:tag@sha256:…``.

        Args:
            variants: one for each platform.
            address: without tag it is ``latest``.
            logins: credentials by registry, besides the user's own.
            compression: gzip, zstd or ``""`` (none) for all layers; None keeps what came from a registry as it is.
            docker: Docker's media types in place of OCI's.

        Raises:
            InvalidInput: the address is not an image reference, or has a digest.
            RegistryError: the registry cannot be reached, or refuses.
        """
        reference = references.parse(address)
        image = await publish.pack(self._store, variants, compression, self._workers, docker=docker)
        return await publish.publish(self._store, image, reference, RegistryAccess(logins or {}, self._timeouts))

    async def save(self, variants: Sequence[Variant], path: Path, *, compression: str | None = None, docker: bool = False) -> None:
        """Write an image as a tar archive in OCI image layout, which ``docker load`` also reads. Equal images are equal archives."""
        image = await publish.pack(self._store, variants, compression, self._workers, docker=docker)
        await asyncio.to_thread(tarball.write, self._store, image, path)

    async def load(self, path: Path, *, tag: str = "", platform: str = "") -> StoredImage:
        """Read an image from a tar archive: OCI image layout, or what ``docker save`` writes, compressed or not.

        Raises:
            ImageDamaged: it is not what it has to be.
            ImageError: it holds no image, or not that tag or platform.
        """
        wanted = platforms.parse(platform) if platform else platforms.host()
        blobs, config = await asyncio.to_thread(loading.read, self._store, path, tag, wanted)
        diff_ids = (config.get("rootfs") or {}).get("diff_ids") or ()
        return StoredImage(await pull.assemble(self._store, blobs, diff_ids, self._workers), config, "")


def _failure(reference: ImageReference, platform: str) -> str:
    return f'failed to resolve image "{reference}" (platform: "{platform}")'
