"""The forms that a secret value takes on its way into a log: raw, base64, hex, URL-, JSON-, XML-escaped, and quoted by a shell."""

from __future__ import annotations

import base64
import html
import json
import re
from typing import TYPE_CHECKING
from urllib.parse import quote, unquote

from pipelines.foundation.redaction.quoting import shell_quoted
from pipelines.foundation.redaction.readings import without_control_sequences

if TYPE_CHECKING:
    from collections.abc import Iterator

SHORTEST = 4
"""Characters below which a value is not masked: masking every `a` would hide the log and not the secret."""
_LINE = 8
_MOST_LINES = 64
_MOST_KEY_LINES = 1024
_PRIVATE = "PRIVATE KEY-----"
_NOT_A_BYTE = re.compile("[\ud800-\udc7f\udd00-\udfff]")
_PEM_BODY = re.compile(r"-----BEGIN [^\n-]*-----\s+(.*?)\s*-----END ", re.DOTALL)
_CERTIFICATES = re.compile(r"(?:-----BEGIN (?:TRUSTED )?CERTIFICATE-----[A-Za-z0-9+/=\s]+-----END (?:TRUSTED )?CERTIFICATE-----\s*)+")
_URL_PASSWORD = re.compile(r"://[^\s/:@]*:([^\s/@]+)@")
_GO_ESCAPES = str.maketrans({"<": "\\u003c", ">": "\\u003e", "&": "\\u0026"})
_HEX = re.compile("%[0-9A-F]{2}")
_BROWSER = re.compile("%2[1789A]")
"""What `encodeURIComponent` leaves as it is: ! ' ( ) *"""
_MOST_SEPARATED = 128
"""Bytes of a value that is expected byte by byte in one line."""
_MOST_NESTED = 4096
"""Characters of a value that is expected within a text that is itself written in another one."""
_SEPARATORS = (" ", ":", "-", ",", ", ", "\\x", " 0x", ",0x", ", 0x", "_", "%", "\\u00", ";&#x")
"""What stands between the hex digits of two bytes (`od -tx1`, openssl, C, Python), also where everything is escaped (URL, JSON, HTML)."""


def written_forms(value: str) -> frozenset[str]:
    """Every text to be masked for a secret value; empty when the value is too short to be masked.

    White space at its ends is not part of it: programs cut it off, above all the newline at the end of a file. A value of several
    lines (a key, a configuration file) is also masked line by line, as logs put prefixes before lines; very long ones only as a whole,
    unless they hold a private key. The password of a URL within a value is masked by itself too. Certificates alone are public, and a
    bundle of them is large: no other form of it is looked for.
    """
    core = value.strip()
    if len(core) < SHORTEST:
        return frozenset()
    if _CERTIFICATES.fullmatch(core):
        return frozenset({core})
    found = {core, " ".join(core.split()), *_escaped(core), *_encoded(as_bytes(core)), *_alone(as_bytes(value))}
    if len(core) <= _MOST_NESTED:
        found.update(_nested(core))
    for part in (*_lines(core), *_URL_PASSWORD.findall(core)):
        found |= {part, *_escaped(part)}
    for body in _PEM_BODY.findall(core):
        joined = "".join(body.split())
        found |= {joined, *_escaped(joined)}
    if core != (shown := as_bytes(core).decode("utf-8", "replace")):
        found.add(shown)  # of a value that is not UTF-8
    found |= {without_control_sequences(form) for form in found}
    return frozenset(form for form in found if len(form) >= SHORTEST)


def as_bytes(text: str) -> bytes:
    """The text as a program writes it: a lone surrogate stands for the byte that could not be decoded, where it can."""
    return text.encode("utf-8", "surrogateescape" if _escapes_only(text) else "surrogatepass")


def _escapes_only(text: str) -> bool:
    """Whether the lone surrogates of a text, if any, stand for bytes that are not UTF-8."""
    return text.isascii() or _NOT_A_BYTE.search(text) is None


def _lines(value: str) -> tuple[str, ...]:
    lines = value.splitlines()
    most = _MOST_KEY_LINES if _PRIVATE in value else _MOST_LINES
    return tuple(line.strip() for line in lines if len(line.strip()) >= _LINE) if 1 < len(lines) <= most else ()


def _escaped(text: str) -> Iterator[str]:
    yield from _json(text)
    yield from _url(text)
    yield from _xml(text)
    yield from shell_quoted(text)
    yield from _doubled(text)
    yield repr(text)[1:-1]
    yield repr(as_bytes(text))[2:-1]


def _nested(text: str) -> Iterator[str]:
    """What is escaped, then escaped again or encoded: JSON in JSON, a command in a command, a registry's login in a Kubernetes secret."""
    escaped = {*_json(text), *shell_quoted(text), repr(text)[1:-1], quote(as_bytes(text), safe="")}
    for once in escaped:
        yield from (
            json.dumps(once)[1:-1],
            repr(once)[1:-1],
            once.replace("'", "'\\''"),
            once.replace("'", "'\"'\"'"),
            quote(as_bytes(once), safe=""),
        )
    encoded = [as_bytes(once) for once in {*_json(text)} - {text}]
    encoded += [once.encode() for once in {*_base64(as_bytes(text))}]
    encoded.append(text.encode("utf-16-le", "surrogatepass"))  # as PowerShell takes commands
    yield from (form for raw in encoded for form in _base64(raw) if len(form) >= _LINE)


def _doubled(text: str) -> Iterator[str]:
    """Where a quote is written twice (CSV, SQL, YAML), or a dollar sign (make, Compose)."""
    yield from (text.replace(character, character * 2) for character in "\"'$")


def _json(text: str) -> Iterator[str]:
    """As Python, JavaScript (which may escape /) and Go (which escapes <, > and &) write strings."""
    for ascii_only in (True, False):
        plain = json.dumps(text, ensure_ascii=ascii_only)[1:-1]
        yield plain
        yield plain.replace("/", "\\/")
        yield plain.translate(_GO_ESCAPES)


def _xml(text: str) -> Iterator[str]:
    """As Python, Go and XML libraries write text and attributes."""
    yield html.escape(text, quote=False)
    quoted = html.escape(text, quote=True)
    yield quoted
    yield quoted.replace("&#x27;", "&#39;").replace("&quot;", "&#34;")
    yield quoted.replace("&#x27;", "&apos;")


def _url(text: str) -> Iterator[str]:
    """As a path, as a query, as a form, and as browsers write it; with hex digits of either case."""
    strict = quote(as_bytes(text), safe="")
    for case in (strict, _HEX.sub(lambda found: found[0].lower(), strict), _BROWSER.sub(lambda found: unquote(found[0]), strict)):
        slash = case.replace("%2F", "/").replace("%2f", "/")
        yield from (case, slash, case.replace("%20", "+"), slash.replace("%20", "+"))


def _encoded(raw: bytes) -> Iterator[str]:
    yield from _base64(raw)
    yield from _hex(raw)
    yield from _decimal(raw)


def _decimal(raw: bytes) -> Iterator[str]:
    """Byte by byte, as Go, Python and JavaScript print arrays, and in HTML; octal in C and shells."""
    if len(raw) <= _MOST_SEPARATED:
        yield from (separator.join(map(str, raw)) for separator in (" ", ",", ", ", ";&#"))
        yield "\\".join(f"{byte:03o}" for byte in raw)


def _hex(raw: bytes) -> Iterator[str]:
    """In one piece, byte by byte, and in words of two bytes as `xxd` writes them, of either case."""
    lower = raw.hex()
    for digits in (lower, lower.upper()):
        yield digits
        if len(raw) > _MOST_SEPARATED:
            continue
        pairs = [digits[at : at + 2] for at in range(0, len(digits), 2)]
        yield from (separator.join(pairs) for separator in _SEPARATORS)
        for first in (2, 4):
            yield " ".join([digits[:first], *(digits[at : at + 4] for at in range(first, len(digits), 4))])


def _alone(raw: bytes) -> Iterator[str]:
    yield base64.b32encode(raw).decode().rstrip("=")
    for encode in (base64.b64encode, base64.urlsafe_b64encode):
        yield encode(raw).decode()
        yield encode(raw).decode().rstrip("=")


def _base64(raw: bytes) -> Iterator[str]:
    """The value encoded alone, and the characters it alone decides when it stands within something longer (`user:value`)."""
    yield from _alone(raw)
    for encode in (base64.b64encode, base64.urlsafe_b64encode):
        for before in range(3):
            # Each character holds 6 bits; those that also hold bits of a neighbour are left out.
            first = -(-before * 8 // 6)
            last = (before + len(raw)) * 8 // 6
            yield encode(bytes(before) + raw + bytes(3)).decode()[first:last]
