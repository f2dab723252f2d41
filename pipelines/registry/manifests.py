"""Which manifest a reference names (OCI distribution specification 1.1, end-3: GET /v2/<name>/manifests/<reference>)."""

from __future__ import annotations

import datetime as dt
import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pipelines.errors import UsageError
from pipelines.foundation.image_reference import ImageReference, ImageReferenceError, parse_image_reference
from pipelines.registry.client import TIMEOUT_S, RegistryClient

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pipelines.foundation.registry_login import RegistryLogin
    from pipelines.registry.client import RegistryAnswer

_INDEXES = ("application/vnd.oci.image.index.v1+json", "application/vnd.docker.distribution.manifest.list.v2+json")
_MANIFESTS = ("application/vnd.oci.image.manifest.v1+json", "application/vnd.docker.distribution.manifest.v2+json")
_IMAGE_CONFIGS = ("application/vnd.oci.image.config.v1+json", "application/vnd.docker.container.image.v1+json")
_LARGEST = 4 << 20  # bytes: every registry must accept manifests of this size, so larger ones are not in use


@dataclass(frozen=True, slots=True)
class ManifestSummary:
    """What a reference names.

    Attributes:
        digest: `sha256:…` of the manifest's bytes as they were received.
        artifact: whether it is an artifact and not an image.
        created: when it was made, as its annotations say; None where they do not.
    """

    digest: str
    artifact: bool
    created: dt.datetime | None = None


def read_reference(text: str) -> ImageReference:
    """Read an image reference that a person wrote; without tag and digest it means `latest`.

    Raises:
        UsageError: it is not an image reference.
    """
    try:
        return parse_image_reference(text).with_default_tag()
    except ImageReferenceError as error:
        raise UsageError(
            f"{text!r} is not an image reference", cause=error.reason, next_step="write registry/name:tag, or registry/name@sha256:…"
        ) from error


def find_manifest(
    reference: ImageReference, environ: Mapping[str, str], *, timeout_s: float = TIMEOUT_S, login: RegistryLogin | None = None
) -> ManifestSummary:
    """Ask the registry which manifest a reference names now. Blocks: call it in a thread where there is an event loop.

    Args:
        reference: with digest or tag; the digest counts where there are both.
        environ: says where the user's credentials files are.
        timeout_s: seconds of wall time for the whole answer, about.
        login: used in place of the user's credentials.

    Raises:
        RegistryUnavailable: the registry does not answer, or says that it cannot answer now.
        CredentialsError: it wants credentials that no file has, or refuses those it got.
        Unavailable: it has no such manifest.
    """
    client = RegistryClient(reference, environ, timeout_s=timeout_s, login=login)
    answer = client.get(f"manifests/{reference.digest or reference.tag}", accept=(*_MANIFESTS, *_INDEXES), largest=_LARGEST)
    return _summary(answer)


def _summary(answer: RegistryAnswer) -> ManifestSummary:
    document = answer.document()
    media_type = str(document.get("mediaType") or answer.content_type.partition(";")[0].strip())
    config = document.get("config")
    kind = config.get("mediaType") if isinstance(config, dict) else None
    artifact = media_type not in _INDEXES and "manifests" not in document and kind not in _IMAGE_CONFIGS
    return ManifestSummary(f"sha256:{hashlib.sha256(answer.body).hexdigest()}", artifact, _created(document.get("annotations")))


def _created(annotations: Any) -> dt.datetime | None:
    """The annotation org.opencontainers.image.created (OCI image specification, annotations), where it is a time."""
    try:
        made = dt.datetime.fromisoformat(annotations["org.opencontainers.image.created"])
    except (ValueError, TypeError, LookupError):
        return None
    return made if made.tzinfo else made.replace(tzinfo=dt.UTC)
