"""Image references: `[host[:port]/]path[:tag][@digest]`, with Docker's defaults (`alpine` is `docker.io/library/alpine:latest`)."""

from __future__ import annotations

import re
from dataclasses import dataclass

from pipelines.errors import UsageError

HUB, HUB_HOST = "docker.io", "registry-1.docker.io"
_PATH = r"[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*"
_FORM = re.compile(rf"(?P<path>{_PATH}(?:/{_PATH})*)(?::(?P<tag>\w[\w.-]{{0,127}}))?(?:@(?P<digest>sha256:[0-9a-f]{{64}}))?", re.ASCII)
_HOST = re.compile(r"(?:[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?|\[[0-9A-Fa-f:]+\])(?::\d{1,5})?")


@dataclass(frozen=True, slots=True)
class Reference:
    """A complete reference; `digest` is `sha256:…` or empty, and then `tag` is what counts."""

    domain: str
    path: str
    tag: str
    digest: str

    @property
    def host(self) -> str:
        """Where the registry's API is."""
        return HUB_HOST if self.domain == HUB else self.domain

    @property
    def name(self) -> str:
        """Registry and repository."""
        return f"{self.domain}/{self.path}"

    def at(self, digest: str) -> str:
        """The reference by digest, the one name that never moves."""
        return f"{self.name}@{digest}"

    def __str__(self) -> str:
        return self.at(self.digest) if self.digest else f"{self.name}:{self.tag}"


def parse(text: str) -> Reference:
    """Read a reference and fill in its defaults.

    Raises:
        UsageError: it is not one.
    """
    domain, rest = _split(text)
    found = _FORM.fullmatch(rest)
    if found is None or not _HOST.fullmatch(domain):
        raise UsageError(f"{text!r} is not an image reference", next_step="write registry/name:tag, or registry/name@sha256:…")
    return Reference(domain=domain, path=found["path"], tag=found["tag"] or "latest", digest=found["digest"] or "")


def _split(text: str) -> tuple[str, str]:
    """The registry, and the rest: the first part is a registry where it looks like a host."""
    first, slash, rest = text.partition("/")
    if slash and (first == "localhost" or any(sign in first for sign in ".:[") or first != first.lower()):
        domain, path = first, rest
    else:
        domain, path = HUB, text
    if domain in {HUB, "index.docker.io", HUB_HOST}:
        return HUB, path if "/" in path else f"library/{path}"
    return domain, path
