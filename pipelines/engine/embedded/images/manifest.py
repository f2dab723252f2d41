"""Manifests and indexes of images, OCI and Docker's (schema 2)."""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from pipelines.engine.embedded.errors import ImageError, NoSuchPlatform
from pipelines.engine.embedded.images import documents, platforms

if TYPE_CHECKING:
    from pipelines.engine.embedded.images.platforms import Platform

OCI_INDEX = "application/vnd.oci.image.index.v1+json"
OCI_MANIFEST = "application/vnd.oci.image.manifest.v1+json"
OCI_CONFIG = "application/vnd.oci.image.config.v1+json"
OCI_LAYER = "application/vnd.oci.image.layer.v1.tar"
DOCKER_LIST = "application/vnd.docker.distribution.manifest.list.v2+json"
DOCKER_MANIFEST = "application/vnd.docker.distribution.manifest.v2+json"
DOCKER_CONFIG = "application/vnd.docker.container.image.v1+json"
DOCKER_LAYER = "application/vnd.docker.image.rootfs.diff.tar"
INDEXES = frozenset({OCI_INDEX, DOCKER_LIST})
ARM = re.compile("v[5-9]")  # variants, of which a higher one runs what is made for a lower one
CONFIGS = frozenset({OCI_CONFIG, DOCKER_CONFIG})


def digest_bytes(data: bytes) -> str:
    """``sha256:…`` of some bytes."""
    return f"sha256:{hashlib.sha256(data).hexdigest()}"


def dump(value: object) -> bytes:
    """JSON with one spelling, so that equal values have equal digests."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


@dataclass(frozen=True, slots=True)
class Descriptor:
    """Names some bytes: media type, digest, size in bytes."""

    media_type: str
    digest: str
    size: int
    annotations: dict[str, str] = field(default_factory=dict)

    def json(self) -> dict[str, Any]:
        """As the OCI image specification has it; annotations only where there are some."""
        value: dict[str, Any] = {"mediaType": self.media_type, "digest": self.digest, "size": self.size}
        return value | ({"annotations": self.annotations} if self.annotations else {})


@dataclass(frozen=True, slots=True)
class Manifest:
    """What makes up one image for one platform."""

    digest: str
    config: Descriptor
    layers: tuple[Descriptor, ...]


def is_index(document: dict[str, Any]) -> bool:
    """Whether it names manifests for several platforms."""
    kind = document.get("mediaType") or (OCI_INDEX if document.get("manifests") is not None else "")
    return kind in INDEXES


def read(data: bytes, name: str) -> dict[str, Any]:
    """The manifest or index in some bytes; ``name`` is for the message.

    Raises:
        ImageDamaged: it is not one.
        ImageError: it is of an old version.
    """
    document = documents.parse(data, f"manifest of {name}", documents.MANIFEST)
    if document.get("schemaVersion") != 2:  # noqa: PLR2004 - the version all registries serve
        raise ImageError(
            f"{name}: its manifest has a format before Docker schema 2, which is not supported: push the image again with a recent tool"
        )
    return document


def configuration(data: bytes, name: str) -> dict[str, Any]:
    """The image configuration in some bytes.

    Raises:
        ImageDamaged: it is not one.
    """
    return documents.parse(data, f"configuration of {name}", documents.CONFIG)


def choose(document: dict[str, Any], wanted: Platform, name: str) -> Descriptor:
    """The manifest for a platform: the same variant first, then one without, then the best lower one.

    Raises:
        ImageError: there is none.
    """
    found = [(platform, entry) for entry in document.get("manifests") or [] if (platform := _platform(entry)) is not None]
    fitting = [(rank, entry) for platform, entry in found if (rank := _rank(platform, wanted)) is not None]
    if not fitting:
        offered = ", ".join(dict.fromkeys(str(platform) for platform, _ in found)) or "none"
        raise NoSuchPlatform(f"{name}: no match for platform in manifest: not found (it has {offered})")
    return _descriptor(min(fitting, key=lambda pair: pair[0])[1])


def _platform(entry: dict[str, Any]) -> Platform | None:
    given = entry.get("platform") or {}
    parts = (given.get("os") or "", given.get("architecture") or "", given.get("variant") or "")
    if not parts[0] or not parts[1] or "unknown" in parts:
        return None  # an attestation or another artifact kept beside the images
    return platforms.normalise(*parts)


def _rank(platform: Platform, wanted: Platform) -> int | None:
    if (platform.os, platform.architecture) != (wanted.os, wanted.architecture):
        return None
    if platform.variant == wanted.variant:
        return 0
    if not platform.variant:
        return 1
    if platform.architecture == "arm" and ARM.fullmatch(platform.variant) and platform.variant < wanted.variant:
        return 10 - int(platform.variant.removeprefix("v"))
    return None


def image(document: dict[str, Any], digest: str, name: str) -> Manifest:
    """A manifest's config and layers.

    Raises:
        ImageError: it is not a container image.
    """
    config = document.get("config")
    if not config or config.get("mediaType") not in CONFIGS:
        kind = (config or {}).get("mediaType", "none")
        raise ImageError(f"{name} is not a container image: its config has the media type {kind}")
    return Manifest(digest, _descriptor(config), tuple(_descriptor(layer) for layer in document.get("layers") or []))


def _descriptor(value: dict[str, Any]) -> Descriptor:
    return Descriptor(value.get("mediaType") or "", value["digest"], value["size"], value.get("annotations") or {})
