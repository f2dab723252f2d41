"""Image references: ``[domain/]path[:tag][@digest]`` (grammar and defaults of the distribution project, as docker has them)."""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass, replace

from pipelines.engine.codes import Code
from pipelines.engine.embedded.errors import InvalidInput

HUB = "docker.io"
LONGEST = 255
COMPONENT = r"[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*"
LABEL = r"[a-zA-Z0-9](?:[a-zA-Z0-9-]*[a-zA-Z0-9])?"
DOMAIN = rf"(?:{LABEL}(?:\.{LABEL})*|\[[a-fA-F0-9:]+\])(?::[0-9]+)?"
DIGEST = r"[A-Za-z][A-Za-z0-9]*(?:[-_+.][A-Za-z][A-Za-z0-9]*)*:[0-9a-fA-F]{32,}"
REFERENCE = re.compile(
    rf"(?P<domain>{DOMAIN})/(?P<path>{COMPONENT}(?:/{COMPONENT})*)(?::(?P<tag>\w[\w.-]{{0,127}}))?(?:@(?P<digest>{DIGEST}))?"
)
HEX = re.compile("[a-f0-9]{64}")


class InvalidReference(InvalidInput):
    """What was given is not an image reference."""

    code = Code.INVALID_REFERENCE

    def __init__(self, text: str, reason: str) -> None:
        super().__init__(f"failed to parse image address {text}: {reason}")


@dataclass(frozen=True, slots=True)
class Reference:
    """A normalised reference.

    Attributes:
        domain: registry host, with its port.
        path: repository.
        tag: empty where there is none.
        digest: ``sha256:…``, empty where there is none.
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
    def loopback(self) -> bool:
        """The registry is on this machine, so plain HTTP to it is as safe as TLS."""
        host = self.domain.rsplit(":", 1)[0] if re.search(r":\d+$", self.domain) else self.domain
        try:
            return ipaddress.ip_address(host.strip("[]")).is_loopback
        except ValueError:
            return host == "localhost"

    def tagged(self) -> Reference:
        """With the tag ``latest`` where it has neither tag nor digest."""
        return self if self.tag or self.digest else replace(self, tag="latest")

    def at(self, digest: str) -> Reference:
        """The same with a digest."""
        return replace(self, digest=digest)

    def pinned(self) -> str:
        """What to ask a registry for: by digest where there is one (a tag beside it says nothing more)."""
        return f"{self.name}@{self.digest}" if self.digest else f"{self.name}:{self.tag or 'latest'}"

    def __str__(self) -> str:
        return self.name + (f":{self.tag}" if self.tag else "") + (f"@{self.digest}" if self.digest else "")


def parse(text: str) -> Reference:
    """Read and normalise: ``alpine`` is ``docker.io/library/alpine``; no tag is added.

    Raises:
        InvalidReference: in the words a Dagger engine has for it.
    """
    if HEX.fullmatch(text):
        raise InvalidReference(text, f"invalid repository name ({text}), cannot specify 64-byte hexadecimal strings")
    domain, rest = _split(text)
    name = rest.partition("@")[0].partition(":")[0]
    if name != name.lower():
        raise InvalidReference(text, f"invalid reference format: repository name ({name}) must be lowercase")
    found = REFERENCE.fullmatch(f"{domain}/{rest}")
    if not found:
        raise InvalidReference(text, "invalid reference format")
    if len(found["domain"]) + 1 + len(found["path"]) > LONGEST:
        raise InvalidReference(text, f"repository name must not be more than {LONGEST} characters")
    return Reference(found["domain"], found["path"], found["tag"] or "", _digest(text, found["digest"] or ""))


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
        raise InvalidReference(text, f"unsupported digest algorithm ({algorithm}): only sha256 is")
    if digest and not HEX.fullmatch(value):
        raise InvalidReference(text, "invalid checksum digest length" if len(value) != 64 else "invalid checksum digest format")  # noqa: PLR2004 - hex digits of 256 bits
    return digest
