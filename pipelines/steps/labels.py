"""OCI labels of an image (image-spec, pre-defined annotation keys)."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pipelines.model import ImageSpec, Source

PREFIX = "org.opencontainers.image."


def labels_of(spec: ImageSpec, source: Source, *, base: str | None = None) -> dict[str, str]:
    """Title, version, revision, source and created, each where git knows it, and the base image's name and digest.

    A label of the configuration wins over one of these.
    """
    name, _, digest = (base or "").partition("@")
    known = {
        "title": spec.name,
        "version": source.version,
        "revision": source.revision,
        "source": source.remote,
        "created": source.created,
        "base.name": name or None,
        "base.digest": digest or None,
    }
    return {f"{PREFIX}{key}": value for key, value in known.items() if value} | dict(spec.labels)
