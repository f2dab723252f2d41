"""What an error message of a foreign engine is about. The embedded engine says so itself, by a code; a Dagger engine has text only.

The text comes from many libraries and quotes names that people chose, of files and images. So no word counts wherever it stands: a
pattern matches at the start of the message (after what wraps it), at its end, where Go puts the innermost cause, or behind the address of
the request. The wordings are those of Dagger engines 0.20 and 0.21, BuildKit, containerd's resolver and Go's net package, as observed.
"""

from __future__ import annotations

import re

from pipelines.engine.codes import Code

_STATUS = r"(?:^|https?://\S+: |unexpected (?:HTTP )?status: )"  # what stands before an HTTP status
_PART = r"(?:^|: )"  # the start of one part of `outer: inner: innermost`

_PATTERNS: tuple[tuple[Code, tuple[str, ...]], ...] = (
    (
        Code.UNSUPPORTED,
        (r'^Cannot query field "', r'^Unknown argument "', r"^['\"]?(?:Field|Argument) \S+ does not exist in (?:type|field|Field)\b"),
    ),
    (Code.SERVICE_FAILED, (rf"{_PART}start \S+ \(aliased as \S+\): ", rf"{_PART}bound service \S+ \(aliased as \S+\) exited: ")),
    (
        Code.SECRET,
        (
            r"^secret env var not found: ",
            r"^failed to (?:read|open) secret file ",
            r"^failed to run secret command",
            r"^unsupported secret provider",
            r"^secret [^:]{0,80}: (?:not found|no such file or directory|permission denied)$",
        ),
    ),
    (Code.IMAGE_NOT_FOUND, (r"^failed to resolve (?:image|source metadata for) .*: not found$", r"^[\w.:/@-]+: not found$")),
    (
        Code.DOCKERFILE,
        (
            r"^dockerfile parse error on line \d+",
            r"^failed to content hash dockerfile",
            r"^failed to copy source (?:directory|file)",
            r"\bDockerfile: no such file or directory$",
        ),
    ),
    (Code.UNREADABLE, (r": (?:permission denied|operation not permitted)$",)),
    (Code.NOT_FOUND, (r": (?:no such file or directory|not a directory|file does not exist|not found)$",)),
    (Code.CANCELLED, (r"^engine is shutting down$",)),
    (Code.DISK_FULL, (rf"{_PART}(?:no space left on device|disk quota exceeded)$",)),
    (
        Code.REGISTRY_DENIED,
        (
            rf"{_STATUS}(?:401 Unauthorized|403 Forbidden)\b",
            rf"{_PART}unauthorized: [\w ]+$",
            rf"{_PART}authentication required$",
            rf"{_PART}denied: requested access to the resource is denied$",
            rf"{_PART}pull access denied, ",
            r"insufficient_scope: authorization failed$",
            rf"{_PART}no basic auth credentials$",
        ),
    ),
    (
        Code.REGISTRY_UNTRUSTED,
        (rf"{_PART}x509: ", rf"{_PART}http: server gave HTTP response to HTTPS client$", rf"{_PART}tls: failed to verify certificate"),
    ),
    (
        Code.REGISTRY_BUSY,
        (rf"{_STATUS}429 Too Many Requests\b", rf"{_STATUS}5\d\d [A-Z][A-Za-z ]+", rf"{_PART}toomanyrequests: "),
    ),
    (
        Code.REGISTRY_UNKNOWN,
        (
            r"(?:^|\blookup \S+(?: on \S+)?: )(?:no such host|server misbehaving)$",
            r"(?:^|\blookup \S+(?: on \S+)?: )(?:[Tt]emporary failure in name resolution|[Nn]ame or service not known)$",
        ),
    ),
    (
        Code.REGISTRY_UNREACHABLE,
        (
            rf"{_PART}(?:connection refused|connection reset by peer|i/o timeout|TLS handshake timeout|broken pipe)$",
            rf"{_PART}(?:network is unreachable|no route to host|net/http: request canceled.*)$",
            r"https?://\S+: (?:unexpected )?EOF$",
        ),
    ),
    (
        Code.PLATFORM,
        (
            rf"{_PART}exec format error$",
            rf"{_PART}no match for platform in manifest",
            rf"{_PART}no image found in image index for architecture",
            r"^.*: unknown operating system or architecture",
        ),
    ),
    (Code.DOCKERFILE, (rf"{_PART}target stage .{{0,200}} could not be found$", r"^base name \(.*\) should not be blank")),
    (
        Code.IMAGE_NOT_FOUND,
        (rf"{_PART}manifest unknown(?:: [\w ]+)?$", rf"{_PART}name unknown(?:: [\w ]+)?$", r"repository name not known to registry$"),
    ),
    (Code.INVALID_REFERENCE, (rf"{_PART}invalid reference format", r"^could not parse reference")),
)
"""Tried in this order. What tells of files comes before what tells of registries: a file may have any name, an errno has not."""

_COMPILED = tuple((code, re.compile("|".join(patterns))) for code, patterns in _PATTERNS)
_MARK = re.compile(r" ?\[traceparent:[0-9a-f-]+\]")
_QUERY = re.compile(r"^input: (?:\w+\.)*\w+ ")
_HOST = re.compile(
    r"https?://([^/\s\"]+)|dial tcp:? (?:lookup )?([\w.:\[\]-]+)|container registry ([^\s:]+(?::\d+)?)"
    r"|resolve image \"(localhost|[^/\s\"]*[.:][^/\s\"]*)/"
)
_WRAPPINGS = re.compile(
    r"^(?:failed to resolve image \"[^\"]*\" \(platform: \"[^\"]*\"\): |failed to do request: |load \S+: |inputs: "
    r"|failed to (?:load|convert|clone|resolve|get|content hash|copy)\b[^:\"]*: )+"
)
_OUTER = re.compile(r"^(?:load \S+: |inputs: |failed to (?:load|convert|clone|get|solve|evaluate)\b[^:\"]*: )+")
_LINE_OF_DOCKERFILE = re.compile(r"dockerfile parse error on line (\d+): (.*)", re.DOTALL)
_LONGEST = 400


def classify(message: str) -> Code:
    """What the message is about; `Code.FAILED` where that cannot be told."""
    whole = _line(message)
    inner = _OUTER.sub("", whole)
    converting = inner != whole and whole.startswith("failed to convert Dockerfile")
    found = next((code for code, pattern in _COMPILED if pattern.search(inner)), Code.FAILED)
    return Code.DOCKERFILE if found is Code.FAILED and converting else found


def host_in(message: str) -> str | None:
    """The host (and port) of the registry the message speaks of, if it names one."""
    found = _HOST.search(message)
    return next((group.rstrip(":") for group in found.groups() if group), None) if found else None


def core(message: str) -> str:
    """The part of a nested message a person needs: the innermost cause, in one line."""
    line = _line(message)
    at_line = _LINE_OF_DOCKERFILE.search(line)
    if at_line:
        return f"line {at_line.group(1)}: {at_line.group(2)}"
    line = _WRAPPINGS.sub("", line)
    return line if len(line) <= _LONGEST else f"{line[:_LONGEST]}…"


def _line(message: str) -> str:
    """In one line, without the field a message may begin with, and the marks by which a Dagger engine's own client finds its traces."""
    return _QUERY.sub("", _MARK.sub("", " ".join(message.split())))
