"""OCI labels of an image (image-spec, pre-defined annotation keys)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipelines.steps.image.inputs import LABEL

if TYPE_CHECKING:
    from pipelines.model import Source
    from pipelines.steps.image.spec import ImageSpec

PREFIX = "org.opencontainers.image."


def labels_of(spec: ImageSpec, source: Source, *, base: str | None = None, inputs: str | None = None) -> dict[str, str]:
    """Title, version, revision, source and created, each where git knows it, the base image's name and digest, and the digest of `inputs`.

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
    own = {LABEL: inputs} if inputs is not None else {}
    return {f"{PREFIX}{key}": value for key, value in known.items() if value} | own | dict(spec.labels)
