"""Images to be written: config, manifest and index of what the store has, with one spelling."""

from __future__ import annotations

import copy
import datetime as dt
import os
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from pipelines.engine.embedded.errors import InvalidInput
from pipelines.engine.embedded.images import manifest, platforms
from pipelines.engine.embedded.images.layers import compression
from pipelines.engine.embedded.images.manifest import Descriptor, digest_bytes, dump
from pipelines.foundation.clock import timestamp

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pipelines.engine.embedded.images.layers import ImageLayer
    from pipelines.engine.embedded.store.snapshot import Snapshot

CREATED_BY = "lockgate"


@dataclass(frozen=True, slots=True)
class Variant:
    """An image for one platform.

    Attributes:
        snapshot: its file system.
        config: the image configuration (OCI image specification); layers, times and platform are set here.
        platform: ``os/architecture[/variant]``.
        annotations: of its manifest.
    """

    snapshot: Snapshot
    config: dict[str, Any]
    platform: str
    annotations: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Layout:
    """All documents of an image, by digest, and which blobs they name.

    Attributes:
        root: what a reference to the image names: the manifest, or the index of several.
        documents: configs, manifests and the index.
        blobs: the layers.
        manifests: one for each platform.
    """

    root: Descriptor
    documents: dict[str, bytes]
    blobs: tuple[Descriptor, ...]
    manifests: tuple[Descriptor, ...]


def layout(variants: Sequence[tuple[Variant, Sequence[ImageLayer]]], *, docker: bool = False) -> Layout:
    """Write the documents.

    Args:
        variants: each with its layers, bottom first.
        docker: Docker's media types in place of OCI's.
    """
    if not variants:
        raise InvalidInput("an image needs at least one platform")
    if docker and any(compression(layer.blob.media_type) == "zstd" for _, layers in variants for layer in layers):
        raise InvalidInput("Docker's media types have none for layers in zstd: use OCI's media types, or another compression")
    documents: dict[str, bytes] = {}
    entries, manifests = [], []
    for variant, layers in variants:
        descriptor = _manifest(variant, layers, documents, docker=docker)
        manifests.append(descriptor)
        platform = platforms.parse(variant.platform)
        facts = {"os": platform.os, "architecture": platform.architecture} | ({"variant": platform.variant} if platform.variant else {})
        entries.append(descriptor.json() | {"platform": facts})
    root = manifests[0]
    if len(variants) > 1:
        kind = manifest.DOCKER_LIST if docker else manifest.OCI_INDEX
        root = _add(documents, kind, {"schemaVersion": 2, "mediaType": kind, "manifests": entries})
    blobs = {layer.blob.digest: layer.blob for _, layers in variants for layer in layers}
    return Layout(root, documents, tuple(blobs.values()), tuple(manifests))


def created() -> str:
    """The time every image is said to be made at: SOURCE_DATE_EPOCH (reproducible-builds.org) or 1970, so that digests stay the same."""
    text = os.environ.get("SOURCE_DATE_EPOCH") or "0"
    if not text.isdecimal():
        raise InvalidInput(f"SOURCE_DATE_EPOCH is not a number of seconds: {text}")
    return timestamp(dt.datetime.fromtimestamp(int(text), dt.UTC))


def _manifest(variant: Variant, layers: Sequence[ImageLayer], documents: dict[str, bytes], *, docker: bool) -> Descriptor:
    config = _add(documents, manifest.DOCKER_CONFIG if docker else manifest.OCI_CONFIG, configuration(variant, layers))
    kind = manifest.DOCKER_MANIFEST if docker else manifest.OCI_MANIFEST
    described = [Descriptor(_layer_type(layer, docker=docker), layer.blob.digest, layer.blob.size).json() for layer in layers]
    document: dict[str, Any] = {"schemaVersion": 2, "mediaType": kind, "config": config.json(), "layers": described}
    if variant.annotations:
        document["annotations"] = variant.annotations
    return _add(documents, kind, document)


def configuration(variant: Variant, layers: Sequence[ImageLayer]) -> dict[str, Any]:
    """The image configuration with layers, times, history and platform that fit."""
    config = copy.deepcopy(variant.config)
    platform = platforms.parse(variant.platform)
    config |= {"os": platform.os, "architecture": platform.architecture, "created": created()}
    config.pop("variant", None)
    if platform.variant:
        config["variant"] = platform.variant
    config["rootfs"] = {"type": "layers", "diff_ids": [layer.diff_id for layer in layers]}
    config["history"] = _history(config.get("history") or [], len(layers))
    return config


def _history(entries: list[dict[str, Any]], layers: int) -> list[dict[str, Any]]:
    """One entry for every layer: what is known of the lowest ones, then our own."""
    own = {"created": created(), "created_by": CREATED_BY}
    filled = sum(not entry.get("empty_layer") for entry in entries)
    return [*entries, *[own] * (layers - filled)] if filled <= layers else [own] * layers


def _layer_type(layer: ImageLayer, *, docker: bool) -> str:
    base, sign = (manifest.DOCKER_LAYER, ".") if docker else (manifest.OCI_LAYER, "+")
    return f"{base}{sign}{compression(layer.blob.media_type)}".rstrip(sign)


def _add(documents: dict[str, bytes], kind: str, document: dict[str, Any]) -> Descriptor:
    data = dump(document)
    digest = digest_bytes(data)
    documents[digest] = data
    return Descriptor(kind, digest, len(data))
