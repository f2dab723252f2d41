"""The forms a secret value takes on its way into a log: raw, base64, URL-, JSON- and XML-escaped."""

from __future__ import annotations

import base64
import html
import json
import re
from typing import TYPE_CHECKING
from urllib.parse import quote, unquote

if TYPE_CHECKING:
    from collections.abc import Iterator

SHORTEST = 4
"""Characters below which a value is not masked: masking every `a` would hide the log and not the secret."""
_LINE = 8
_MOST_LINES = 64
_URL_PASSWORD = re.compile(r"://[^\s/:@]*:([^\s/@]+)@")
_GO_ESCAPES = str.maketrans({"<": "\\u003c", ">": "\\u003e", "&": "\\u0026"})
_HEX = re.compile("%[0-9A-F]{2}")
_BROWSER = re.compile("%2[1789A]")
"""What `encodeURIComponent` leaves as it is: ! ' ( ) *"""


def forms_of(value: str) -> frozenset[str]:
    """Every text to be masked for a secret value; empty when the value is too short to be masked.

    A value of several lines (a key, a configuration file) is also masked line by line, as logs put prefixes before lines; very long ones
    (certificate bundles, which are public) are masked as a whole only. The password of a URL within a value is masked by itself too.
    """
    core = value.strip()
    if len(core) < SHORTEST:
        return frozenset()
    found = {core, *_escaped(core), *_base64(_bytes(core)), *_base64_alone(_bytes(value))}
    for part in (*_lines(core), *_URL_PASSWORD.findall(core)):
        found |= {part, *_escaped(part)}
    return frozenset(form for form in found if len(form) >= SHORTEST)


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogateescape")


def _lines(value: str) -> tuple[str, ...]:
    lines = value.splitlines()
    return tuple(line.strip() for line in lines if len(line.strip()) >= _LINE) if 1 < len(lines) <= _MOST_LINES else ()


def _escaped(text: str) -> Iterator[str]:
    yield from _json(text)
    yield from _url(text)
    yield html.escape(text, quote=True)
    yield html.escape(text, quote=False)
    yield repr(text)[1:-1]


def _json(text: str) -> Iterator[str]:
    """As Python, JavaScript (which may escape /) and Go (which escapes <, > and &) write strings."""
    for ascii_only in (True, False):
        plain = json.dumps(text, ensure_ascii=ascii_only)[1:-1]
        yield plain
        yield plain.replace("/", "\\/")
        yield plain.translate(_GO_ESCAPES)


def _url(text: str) -> Iterator[str]:
    """As a path, as a query, as a form, and as browsers write it; with hex digits of either case."""
    strict = quote(_bytes(text), safe="")
    for case in (strict, _HEX.sub(lambda found: found[0].lower(), strict), _BROWSER.sub(lambda found: unquote(found[0]), strict)):
        slash = case.replace("%2F", "/").replace("%2f", "/")
        yield from (case, slash, case.replace("%20", "+"), slash.replace("%20", "+"))


def _base64_alone(raw: bytes) -> Iterator[str]:
    for encode in (base64.b64encode, base64.urlsafe_b64encode):
        yield encode(raw).decode()
        yield encode(raw).decode().rstrip("=")


def _base64(raw: bytes) -> Iterator[str]:
    """The value encoded alone, and the characters it alone decides when it stands within something longer (`user:value`)."""
    yield from _base64_alone(raw)
    for encode in (base64.b64encode, base64.urlsafe_b64encode):
        for before in range(3):
            # Each character holds 6 bits; those that also hold bits of a neighbour are left out.
            first = -(-before * 8 // 6)
            last = (before + len(raw)) * 8 // 6
            yield encode(bytes(before) + raw + bytes(3)).decode()[first:last]
