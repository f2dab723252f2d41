"""What an engine's message is about. Engines answer with text from many libraries; this is the one place that reads it.

The wordings are those of Dagger engines 0.20 and 0.21, containerd's resolver, skopeo and Go's net package, as they were observed.
"""

from __future__ import annotations

import re
from enum import Enum


class Trouble(Enum):
    """What a message is about, the most telling first: a message is the first trouble any of whose patterns it matches."""

    NOT_STARTED = (r"the engine did not start",)
    DEFECT = (r"^internal error",)
    UNSUPPORTED = (
        r"needs a Dagger engine",
        r"Cannot query field",
        r"Unknown argument",
        r"does not exist in (type|field|Field)",
    )
    DISK_FULL = (r"no space left on (the disk of|device)", r"disk quota exceeded")
    SECRET = (
        r"secret env var not found",
        r"failed to (read|open) secret file",
        r"failed to run secret command",
        r"unsupported secret provider",
        r"secret.{0,80}(not found|no such file|permission denied)",
    )
    CREDENTIALS = (
        r"\b401\b.{0,40}Unauthorized",
        r"unauthorized\b",
        r"\b403\b.{0,40}Forbidden",
        r"authentication required",
        r"denied: ",
        r"pull access denied",
        r"insufficient_scope",
        r"no basic auth credentials",
    )
    CERTIFICATE = (
        r"x509: ",
        r"certificate signed by unknown authority",
        r"server gave HTTP response to HTTPS client",
        r"tls: failed to verify",
    )
    BUSY = (
        r"\b429\b",
        r"too ?many ?requests",
        r"\b50[0-4]\b.{0,40}(Error|Bad Gateway|Unavailable|Timeout)",
        r"unexpected (HTTP )?status.{0,20}\b5\d\d\b",
    )
    SILENCE = (r"the registry gave no answer within",)
    NAME = (r"no such host", r"[Tt]emporary failure in name resolution", r"server misbehaving", r"[Nn]ame or service not known")
    CONNECTION = (
        r"connection refused",
        r"connection reset",
        r"i/o timeout",
        r"TLS handshake timeout",
        r"network is unreachable",
        r"no route to host",
        r"broken pipe",
    )
    PLATFORM = (
        r"exec format error",
        r"no match for platform",
        r"no image found in image index for architecture",
        r"unknown operating system or architecture",
    )
    SERVICE = (r"start \S+ \(aliased as \S+\): ", r"service .{0,80}(exited|not healthy|health ?check)")
    DOCKERFILE = (
        r"dockerfile parse error",
        r"failed to (read|load|convert) [Dd]ockerfile",
        r"target stage .{0,120} could not be found",
        r"failed to content hash dockerfile",
        r"failed to copy source",
        r"Dockerfile: no such file",
        r"base name \(.*\) should not be blank",
    )
    NO_SUCH_IMAGE = (r"failed to resolve image .*not found", r"manifest unknown", r"name unknown", r"repository name not known")
    REFERENCE = (r"invalid reference format", r"could not parse reference")
    NOT_FOUND = (r"no such file or directory",)
    OTHER = ()

    @property
    def passing(self) -> bool:
        """Whether the same request may well succeed a little later."""
        return self in {Trouble.BUSY, Trouble.NAME, Trouble.CONNECTION}


_PATTERNS = {trouble: re.compile("|".join(trouble.value), re.DOTALL) for trouble in Trouble if trouble.value}
_HOST = re.compile(
    r"https?://([^/\s\"]+)|dial tcp:? (?:lookup )?([\w.:\[\]-]+)|container registry ([^\s:]+(?::\d+)?)"
    r"|resolve image \"(localhost|[^/\s\"]*[.:][^/\s\"]*)/"
)
_WRAPPINGS = re.compile(
    r"^(?:failed to resolve image \"[^\"]*\" \(platform: \"[^\"]*\"\): |failed to do request: |load \S+: |inputs: "
    r"|failed to (?:load|convert|clone|resolve|get|content hash|copy)\b[^:\"]*: )+"
)
_LINE_OF_DOCKERFILE = re.compile(r"dockerfile parse error on line (\d+): (.*)", re.DOTALL)


def classify(message: str) -> Trouble:
    """What the message is about."""
    return next((trouble for trouble, pattern in _PATTERNS.items() if pattern.search(message)), Trouble.OTHER)


def host_in(message: str) -> str | None:
    """The host (and port) of the registry the message speaks of, if it names one."""
    found = _HOST.search(message)
    return next((group.rstrip(":") for group in found.groups() if group), None) if found else None


def core(message: str) -> str:
    """The part of a nested message a person needs: the innermost cause, in one line."""
    line = " ".join(message.split())
    at_line = _LINE_OF_DOCKERFILE.search(line)
    if at_line:
        return f"line {at_line.group(1)}: {at_line.group(2)}"
    line = _WRAPPINGS.sub("", line)
    return line if len(line) <= _LONGEST else f"{line[:_LONGEST]}…"


_LONGEST = 400
