"""JSON documents of images: their shapes, as the OCI image specification v1.1 (descriptor, manifest, image-index, config, image-layout) and
Docker's image specification v1.2 have them.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from pipelines.engine.embedded import shapes
from pipelines.engine.embedded.errors import ImageDamaged
from pipelines.engine.embedded.shapes import anything, fields, flag, listed, mapped, number, size, text
from pipelines.engine.embedded.tars import Damaged, shown

if TYPE_CHECKING:
    from pipelines.engine.embedded.shapes import Shape

LARGEST = 4 << 20  # bytes of a document; registries refuse more
MOST_LAYERS = 1024  # docker stops at 127
DIGEST = re.compile(r"sha256:[0-9a-f]{64}")
PORT = re.compile(r"(\d{1,5})(?:/[A-Za-z]{1,10})?")


def parse(data: bytes, part: str, shape: Shape) -> dict[str, Any]:
    """The JSON object in `data`; for the rest see `value`."""
    found = value(data, part, shape)
    if not isinstance(found, dict):
        raise ImageDamaged(part, "it is not a JSON object")
    return found


def value(data: bytes, part: str, shape: Shape) -> Any:
    """The JSON value in `data`, of the given shape.

    Args:
        data: from outside.
        part: what it is of the image, for messages.
        shape: one of those below.

    Raises:
        ImageDamaged: it is too large, not JSON, or of another shape.
    """
    try:
        return shapes.read(data, shape, largest=LARGEST)
    except Damaged as error:
        raise ImageDamaged(part, str(error)) from None


def digest(value: Any, where: str) -> None:
    """SHA-256, written as everywhere."""
    text(value, where)
    if not DIGEST.fullmatch(value):
        raise Damaged(f"{where} is not a SHA-256 digest: {shown(value)}")


def port(value: Any, where: str) -> None:
    """`80`, `80/tcp`, `53/udp`."""
    found = PORT.fullmatch(value)
    if not found or int(found[1]) > 65535:  # noqa: PLR2004 - the last port
        raise Damaged(f"{where} is not a port: {shown(value)}")


_DESCRIPTOR = {"mediaType": text, "digest": digest, "size": size, "annotations": mapped(text)}
DESCRIPTOR = fields(_DESCRIPTOR, "digest", "size")
_PLATFORM = fields({"os": text, "architecture": text, "variant": text})
INDEX_ENTRY = fields(_DESCRIPTOR | {"platform": _PLATFORM}, "digest", "size")

MANIFEST = fields(
    {
        "schemaVersion": number,
        "mediaType": text,
        "config": DESCRIPTOR,
        "layers": listed(DESCRIPTOR, MOST_LAYERS),
        "manifests": listed(INDEX_ENTRY),
        "annotations": mapped(text),
    }
)
"""A manifest or an index."""

_HEALTHCHECK = fields(
    {
        "Test": listed(text),
        "Interval": number,
        "Timeout": number,
        "StartPeriod": number,
        "StartInterval": number,
        "Retries": number,
    }
)
_RUN = fields(
    {
        "User": text,
        "Env": listed(text),
        "Entrypoint": listed(text),
        "Cmd": listed(text),
        "WorkingDir": text,
        "Labels": mapped(text),
        "ExposedPorts": mapped(anything, port),
        "Volumes": mapped(anything),
        "StopSignal": text,
        "Shell": listed(text),
        "OnBuild": listed(text),
        "Healthcheck": _HEALTHCHECK,
    }
)
CONFIG = fields(
    {
        "architecture": text,
        "os": text,
        "variant": text,
        "created": text,
        "rootfs": fields({"type": text, "diff_ids": listed(digest, MOST_LAYERS)}),
        "history": listed(fields({"created": text, "created_by": text, "empty_layer": flag, "comment": text})),
        "config": _RUN,
    }
)
"""An image configuration."""

ARCHIVE = listed(fields({"Config": text, "RepoTags": listed(text), "Layers": listed(text, MOST_LAYERS)}, "Config"))
"""Docker's manifest.json."""
