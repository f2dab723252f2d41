"""Blobs from a registry, each announced when it is there: unpacking goes on while others still come."""

from __future__ import annotations

import asyncio
import os
from typing import TYPE_CHECKING

from pipelines.engine.embedded.errors import ImageError
from pipelines.engine.embedded.images import skopeo
from pipelines.engine.embedded.images.layers import folder

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from pipelines.engine.embedded.images.refs import Reference
    from pipelines.engine.embedded.images.skopeo import Asking
    from pipelines.engine.embedded.store.store import Store

LOOK_S = 0.02  # skopeo tells nobody when a blob is complete (it renames it into place then), so we look


class Arrivals:
    """Which blobs are in the store; waits for those that are not yet."""

    def __init__(self, digests: Iterable[str]) -> None:
        self._events = {digest: asyncio.Event() for digest in digests}

    def missing(self) -> set[str]:
        return {digest for digest, event in self._events.items() if not event.is_set()}

    def come(self, digest: str) -> None:
        self._events[digest].set()

    async def wait(self, digest: str) -> None:
        await self._events[digest].wait()


async def fetch(store: Store, reference: Reference, asking: Asking, arrivals: Arrivals, *, unneeded: Iterable[str]) -> None:
    """Bring the blobs of an image into the store, where one is missing.

    Args:
        store: where to.
        reference: of the platform's manifest, by digest.
        asking: how the registry is asked.
        arrivals: the image's blobs; told of each.
        unneeded: blobs nobody will wait for.

    Raises:
        ImageError: see `skopeo.transfer`.
    """
    have = {digest: path for digest in arrivals.missing() if (path := await asyncio.to_thread(store.blobs.find, digest))}
    for digest in {*have, *unneeded}:
        arrivals.come(digest)
    if not arrivals.missing():
        return
    with folder(store) as place:
        target = place / "blobs" / "sha256"
        target.mkdir(parents=True)
        for digest, path in have.items():
            os.link(path, target / _name(digest))
        await _copy(store, reference, asking, arrivals, place)


async def _copy(store: Store, reference: Reference, asking: Asking, arrivals: Arrivals, place: Path) -> None:
    tls = ["--src-tls-verify=false"] if reference.loopback else []
    flags = ["--quiet", "--remove-signatures", "--dest-oci-accept-uncompressed-layers", *tls]
    arguments = ["copy", *flags, f"docker://{reference.pinned()}", f"oci:{place}:image"]
    work = skopeo.transfer(arguments, reference.domain, asking, stall_s=asking.patience.stall_s)
    copying = asyncio.ensure_future(work)
    try:
        while not copying.done():
            await asyncio.wait([copying], timeout=LOOK_S)
            await _adopt(store, arrivals, place / "blobs" / "sha256")
        await copying
        await _adopt(store, arrivals, place / "blobs" / "sha256")  # what came while the last look was under way
    finally:
        copying.cancel()
    if lost := arrivals.missing():
        raise ImageError(f"skopeo did not bring the layer {min(lost)}")


async def _adopt(store: Store, arrivals: Arrivals, target: Path) -> None:
    for digest in arrivals.missing():
        path = target / _name(digest)
        if path.exists():
            await asyncio.to_thread(_keep, store, path, digest)
            arrivals.come(digest)


def _keep(store: Store, path: Path, digest: str) -> None:
    store.blobs.add(lambda draft: os.link(path, draft), digest)


def _name(digest: str) -> str:
    return digest.removeprefix("sha256:")
