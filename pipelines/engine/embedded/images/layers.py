"""Layers of images in the store: blobs unpacked once, stacks of them, and which blob a layer of the store is."""

from __future__ import annotations

import asyncio
import hashlib
import secrets
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pipelines.engine.embedded.errors import ImageDamaged, ImageError
from pipelines.engine.embedded.images import lower_layers
from pipelines.engine.embedded.images.manifest import Descriptor
from pipelines.engine.embedded.images.packing import worker
from pipelines.engine.embedded.store.snapshot import SCRATCH, Snapshot
from pipelines.engine.embedded.tars import Damaged

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from pipelines.engine.embedded.store.store import Store


@dataclass(frozen=True, slots=True)
class ImageLayer:
    """A layer of the store that is, or came from, a layer of an image.

    Attributes:
        name: in the store.
        diff_id: digest of its plain tar.
        blob: the compressed tar.
        implied, links, whiteouts, opaque: see ``unpack.Unpacked``.
    """

    name: str
    diff_id: str
    blob: Descriptor
    implied: tuple[str, ...] = ()
    links: tuple[tuple[str, str], ...] = ()
    whiteouts: tuple[str, ...] = ()
    opaque: bool = False

    def record(self) -> dict[str, Any]:
        """As plain JSON values, for the store."""
        return {
            "name": self.name,
            "diff_id": self.diff_id,
            "blob": self.blob.json(),
            "implied": self.implied,
            "links": self.links,
            "whiteouts": self.whiteouts,
            "opaque": self.opaque,
        }


def _layer(record: dict[str, Any]) -> ImageLayer:
    blob = record["blob"]
    links = tuple((name, target) for name, target in record["links"])
    return ImageLayer(
        record["name"],
        record["diff_id"],
        Descriptor(blob["mediaType"], blob["digest"], blob["size"]),
        tuple(record["implied"]),
        links,
        tuple(record.get("whiteouts", ())),  # none are noted for layers unpacked before: theirs are in the folder
        record["opaque"],
    )


def stored_layer(store: Store, diff_id: str) -> ImageLayer | None:
    """The layer with this content, if the store has it with its blob."""
    record = store.get(f"image layer {diff_id}")
    return _layer(record) if record else None


def blob_of(store: Store, name: str, compression: str | None = None) -> ImageLayer | None:
    """What a layer of the store is as a blob; ``compression`` only in that one."""
    record = store.get(f"layer blob {name} {'any' if compression is None else compression}")
    return _layer(record) if record else None


def remember(store: Store, layer: ImageLayer, compression: str, *, own: bool = True) -> None:
    """Record that a layer of the store and a blob are the same. `own`: the first such blob is what the layer is packed as from now on."""
    alias = [f"layer blob {layer.name} any"] if own and not blob_of(store, layer.name) else []
    store.put(f"layer blob {layer.name} {compression}", layer.record(), layers=[layer.name], blobs=[layer.blob.digest], alias=alias)


@contextmanager
def work_folder(store: Store) -> Iterator[Path]:
    """A folder on the store's file system, gone afterwards (or swept, if this process dies)."""
    path = store.new_output()
    path.mkdir(mode=0o700)
    try:
        yield path
    finally:
        with suppress(OSError):
            store.workspace.remove(path)


async def add(store: Store, blob: Descriptor, diff_id: str) -> ImageLayer:
    """Unpack a blob the store has, unless a layer with this content is there.

    Raises:
        ImageDamaged: the blob is not what ``diff_id`` says.
    """
    async with store.lock(f"image layer {diff_id}"):
        return await asyncio.to_thread(lambda: stored_layer(store, diff_id) or _unpack(store, blob, diff_id))


def _unpack(store: Store, blob: Descriptor, diff_id: str) -> ImageLayer:
    path = store.blobs.find(blob.digest)
    if path is None:
        raise ImageError(f"the blob {blob.digest} is not in the store")
    found: dict[str, Any] = {}

    def fill(target: Path) -> None:
        try:
            found.update(worker.unpack_blob(path, target, "user.overlay.opaque" if store.rootless else "trusted.overlay.opaque"))
        except Damaged as error:
            raise ImageDamaged(f"layer {blob.digest}", str(error)) from None
        if found["diff_id"] != diff_id:
            raise ImageDamaged(f"layer {blob.digest}", f"it is not what its image says: expected {diff_id}, got {found['diff_id']}")

    # Found again by the record only, which also says what `unpack` learnt; a layer without one is collected with what nobody uses.
    name = store.add_layer(fill, f"image {diff_id} {secrets.token_hex(8)}")
    uses = tuple(found["implied"]), tuple(found["links"].items()), tuple(found["whiteouts"])
    layer = ImageLayer(name, diff_id, blob, *uses, found["opaque"])
    store.put(f"image layer {diff_id}", layer.record(), layers=[name], blobs=[blob.digest])
    remember(store, layer, compression(blob.media_type))
    return layer


async def stack(store: Store, layers: Sequence[ImageLayer]) -> Snapshot:
    """The file system that a stack of image layers shows, bottom first."""
    if not layers:
        return SCRATCH
    chain = chain_id([layer.diff_id for layer in layers])
    record = await asyncio.to_thread(store.get, f"image rootfs {chain}")
    if record is None:
        names = await asyncio.to_thread(_stack, store, layers)
        record = {"layers": names}
        await asyncio.to_thread(store.put, f"image rootfs {chain}", record, layers=names)
    return Snapshot(chain, tuple(record["layers"]))


def _stack(store: Store, layers: Sequence[ImageLayer]) -> list[str]:
    names: list[str] = []
    chain: list[str] = []
    for layer in layers:
        chain.append(layer.diff_id)
        names = [] if layer.opaque else names
        names.append(_completed(store, layer, names, chain_id(chain)))
    return names


def _completed(store: Store, layer: ImageLayer, below: Sequence[str], chain: str) -> str:
    source = str(store.layer_path(layer.name))
    try:
        what = lower_layers.missing([str(store.layer_path(name)) for name in below], source, layer)
    except Damaged as error:
        raise ImageDamaged(f"layer {layer.blob.digest}", str(error)) from None
    if not what and layer.name not in below:  # overlayfs refuses a stack with one folder in it twice
        return layer.name
    name = store.add_layer(lambda target: lower_layers.complete(source, str(target), what), f"image chain {chain}")
    remember(store, ImageLayer(name, layer.diff_id, layer.blob), compression(layer.blob.media_type))
    return name


def chain_id(diff_ids: Sequence[str]) -> str:
    """Names a stack of layers by their content (OCI image specification, "Layer ChainID")."""
    chain = diff_ids[0]
    for diff_id in diff_ids[1:]:
        chain = f"sha256:{hashlib.sha256(f'{chain} {diff_id}'.encode()).hexdigest()}"
    return chain


def compression(media_type: str) -> str:
    """The compression a layer's media type names."""
    if media_type.endswith(("+gzip", ".gzip")):
        return "gzip"
    return "zstd" if media_type.endswith(("+zstd", ".zstd")) else ""
