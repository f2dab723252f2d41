"""What skopeo's last words mean. It has no codes: one exit code, and log lines in the wording of the libraries under it.

The lines quote references, whose parts may be called anything, but hold neither white space nor a colon followed by one. So what counts
begins a part of `outer: inner: innermost`. Wordings: containers/image (docker, oci), distribution's errcode, Go's net, net/http and x509.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

from pipelines.engine.embedded.errors import (
    EngineError,
    ImageDamaged,
    ImageError,
    ImageNotFound,
    RegistryBusy,
    RegistryDenied,
    RegistryError,
    RegistryUnknown,
    RegistryUntrusted,
)
from pipelines.engine.embedded.store.disk_full import disk_full

if TYPE_CHECKING:
    from collections.abc import Callable

MESSAGE = re.compile(r'msg="((?:[^"\\]|\\.)*)"')
NO_ROOM = re.compile(r"(?:write|mkdir|open) (/[^:]*): (?:no space left on device|disk quota exceeded)")
REQUEST = re.compile(r'(?:Get|Head|Post|Put|Patch|Delete) "https?://.*', re.DOTALL)
SHOWN = 600
_LOGIN = "(log in to the registry, for example with `skopeo login`, or give its credentials to the pipeline)"

_PART = r"(?:^|: |\()"
_STATUS = rf"{_PART}(?:invalid status code from registry |received unexpected HTTP status: |StatusCode: )"
_BROKEN = (
    r"(?:connection refused|connection reset by peer|connection timed out|broken pipe|(?:unexpected )?EOF|i/o timeout|TLS handshake timeout"
    r"|no route to host|network is unreachable|context deadline exceeded|http2: .*|stream error: .*|net/http: .*|server closed .*"
    r"|use of closed network connection|malformed HTTP .*|happened during read: .*|Digest did not match, .*|write: .*|read: .*)"
)


def _pattern(*patterns: str) -> re.Pattern[str]:
    return re.compile("|".join(patterns), re.DOTALL | re.IGNORECASE)


_KINDS: tuple[tuple[re.Pattern[str], Callable[[str, str], EngineError]], ...] = (
    (
        _pattern(
            rf"{_PART}manifest unknown\b",
            rf"{_PART}name unknown\b",
            rf"{_PART}(?:blob|manifest|name)_unknown\b",
            rf"{_PART}repository name not known to registry",
            rf"{_PART}blob unknown to registry",
            rf"{_STATUS}404\b",
        ),
        lambda text, _: ImageNotFound(text),
    ),
    (
        _pattern(
            rf"{_PART}unauthorized(?:: |$)",
            rf"{_PART}authentication required\b",
            rf"{_PART}unable to retrieve auth token",
            rf"{_PART}denied(?:: |$)",
            rf"{_PART}requested access to the resource is denied",
            rf"{_STATUS}40[13]\b",
        ),
        lambda text, registry: RegistryDenied(f"{text} {_LOGIN}", registry),
    ),
    (
        _pattern(
            rf"{_PART}x509: ",
            rf"{_PART}http: server gave HTTP response to HTTPS client",
            rf"{_PART}tls: (?:failed to verify|first record does not look like)",
            rf"{_PART}remote error: tls: ",
        ),
        RegistryUntrusted,
    ),
    (_pattern(rf"{_STATUS}(?:429|5\d\d)\b", rf"{_PART}too ?many ?requests\b"), RegistryBusy),
    (_pattern(r"\blookup \S+(?: on \S+)?: (?:no such host|server misbehaving|.*temporary failure in name resolution)"), RegistryUnknown),
    (_pattern(rf"{_PART}{_BROKEN}$"), RegistryError),
    (_pattern(r"^failed to do request: "), RegistryError),
    (
        _pattern(
            rf"{_PART}(?:unsupported manifest media type|unknown manifest|error parsing manifest|json: .*)",
            rf"{_PART}invalid character .* looking for",
        ),
        lambda text, _: ImageDamaged("manifest", text),
    ),
)


def skopeo_error(stderr: str, code: int, registry: str = "") -> EngineError:
    """What went wrong, from skopeo's log lines.

    Args:
        stderr: all of them.
        code: its exit code.
        registry: whom it talked to.
    """
    messages = MESSAGE.findall(stderr)
    text = messages[-1] if messages else stderr.strip()[-SHOWN:]
    text = re.sub(r"\\(.)", r"\1", text) or f"skopeo ended with exit code {code}"
    if room := NO_ROOM.search(text):
        return disk_full(Path(room[1]).parent)
    if request := REQUEST.search(text):
        text = f"failed to do request: {request[0]}"
    return next((make(text, registry) for pattern, make in _KINDS if pattern.search(text)), ImageError(text))
