"""References to images: ``[host[:port]/]path[:tag][@digest]``.

Grammar and defaults are those of the distribution project (github.com/distribution/reference), as docker and Dagger have them:
``alpine`` is ``docker.io/library/alpine``.
"""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass, replace

HUB = "docker.io"
_HUB_API = "registry-1.docker.io"
_LONGEST = 255  # characters of host and repository together
_COMPONENT = r"[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*"
_LABEL = r"[a-zA-Z0-9](?:[a-zA-Z0-9-]*[a-zA-Z0-9])?"
_DOMAIN = rf"(?:{_LABEL}(?:\.{_LABEL})*|\[[a-fA-F0-9:]+\])(?::[0-9]+)?"
_DIGEST = r"[A-Za-z][A-Za-z0-9]*(?:[-_+.][A-Za-z][A-Za-z0-9]*)*:[0-9a-fA-F]{32,}"
_REFERENCE = re.compile(
    rf"(?P<domain>{_DOMAIN})/(?P<path>{_COMPONENT}(?:/{_COMPONENT})*)(?::(?P<tag>\w[\w.-]{{0,127}}))?(?:@(?P<digest>{_DIGEST}))?", re.ASCII
)
_SHA256 = re.compile("[a-f0-9]{64}")


class ImageReferenceError(ValueError):
    """A text is not an image reference. `reason` says why, in the words of the distribution project."""

    def __init__(self, text: str, reason: str) -> None:
        super().__init__(f"{text!r}: {reason}")
        self.reason = reason


@dataclass(frozen=True, slots=True)
class ImageReference:
    """A reference with its registry written out.

    Attributes:
        domain: the registry's host, with its port if it has one; ``docker.io`` where the text names none.
        path: the repository.
        tag: empty where there is none.
        digest: ``sha256:`` and 64 lower-case hexadecimal digits; empty where there is none.
    """

    domain: str
    path: str
    tag: str = ""
    digest: str = ""

    @property
    def name(self) -> str:
        """Registry and repository."""
        return f"{self.domain}/{self.path}"

    @property
    def api_host(self) -> str:
        """The host (and port) where the registry's API is."""
        return _HUB_API if self.domain == HUB else self.domain

    @property
    def is_loopback(self) -> bool:
        """Whether the registry is on this machine, so that plain HTTP to it is as safe as TLS."""
        return is_loopback(self.domain)

    def with_default_tag(self) -> ImageReference:
        """The same with the tag ``latest`` where it has neither tag nor digest."""
        return self if self.tag or self.digest else replace(self, tag="latest")

    def at(self, digest: str) -> ImageReference:
        """The same with this digest."""
        return replace(self, digest=digest)

    def pinned(self) -> str:
        """The text to ask a registry for: with the digest if there is one (the tag then adds nothing), else with the tag."""
        return f"{self.name}@{self.digest}" if self.digest else f"{self.name}:{self.tag or 'latest'}"

    def __str__(self) -> str:
        return self.name + (f":{self.tag}" if self.tag else "") + (f"@{self.digest}" if self.digest else "")


def parse_image_reference(text: str) -> ImageReference:
    """Read a reference and write out its registry; no tag is added.

    Raises:
        ImageReferenceError: the text is not a reference.
    """
    if _SHA256.fullmatch(text):
        raise ImageReferenceError(text, f"invalid repository name ({text}), cannot specify 64-byte hexadecimal strings")
    domain, rest = _split(text)
    name = rest.partition("@")[0].partition(":")[0]
    if name != name.lower():
        raise ImageReferenceError(text, f"invalid reference format: repository name ({name}) must be lowercase")
    found = _REFERENCE.fullmatch(f"{domain}/{rest}")
    if not found:
        raise ImageReferenceError(text, "invalid reference format")
    if len(found["domain"]) + 1 + len(found["path"]) > _LONGEST:
        raise ImageReferenceError(text, f"repository name must not be more than {_LONGEST} characters")
    return ImageReference(found["domain"], found["path"], found["tag"] or "", _digest(text, found["digest"] or ""))


def is_loopback(host: str) -> bool:
    """Whether ``host[:port]`` names this machine itself: ``localhost``, or an address of the loopback networks."""
    name = host.rsplit(":", 1)[0] if re.search(r"(?:\]|^[^:]*):\d+$", host) else host
    try:
        return ipaddress.ip_address(name.strip("[]")).is_loopback
    except ValueError:
        return name == "localhost"


def _split(text: str) -> tuple[str, str]:
    """Registry and the rest; the first component is a registry where it looks like a host."""
    first, slash, rest = text.partition("/")
    if slash and (any(sign in first for sign in ".:") or first == "localhost" or first != first.lower()):
        domain, rest = (HUB, rest) if first in {"index.docker.io", HUB} else (first, rest)
    else:
        domain, rest = HUB, text
    return domain, f"library/{rest}" if domain == HUB and "/" not in rest else rest


def _digest(text: str, digest: str) -> str:
    algorithm, _, value = digest.partition(":")
    if digest and algorithm != "sha256":
        raise ImageReferenceError(text, f"unsupported digest algorithm ({algorithm}): only sha256 is supported")
    if digest and not _SHA256.fullmatch(value):
        reason = "invalid checksum digest length" if len(value) != 64 else "invalid checksum digest format"  # noqa: PLR2004 - hex digits of 256 bits
        raise ImageReferenceError(text, reason)
    return digest
