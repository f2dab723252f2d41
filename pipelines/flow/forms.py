"""The forms a secret value takes on its way into a log: raw, base64, URL-, JSON- and XML-escaped."""

from __future__ import annotations

import base64
import html
import json
import re
from typing import TYPE_CHECKING
from urllib.parse import quote, quote_plus

if TYPE_CHECKING:
    from collections.abc import Iterator

SHORTEST = 4
"""Characters below which a value is not masked: masking every `a` would hide the log and not the secret."""
_LINE = 8
_MOST_LINES = 64
_URL_PASSWORD = re.compile(r"://[^\s/:@]*:([^\s/@]+)@")
_GO_ESCAPES = {"<": "\\u003c", ">": "\\u003e", "&": "\\u0026"}


def forms_of(value: str) -> frozenset[str]:
    """Every text to be masked for a secret value; empty when the value is too short to be masked.

    A value of several lines (a key, a configuration file) is also masked line by line, as logs put prefixes before lines; very long ones
    (certificate bundles, which are public) are masked as a whole only. The password of a URL within a value is masked by itself too.
    """
    if len(value.strip()) < SHORTEST:
        return frozenset()
    found: set[str] = set()
    for text in {value, value.strip()}:
        found |= {text, *_escaped(text), *_base64(text.encode("utf-8", "surrogateescape"))}
    for part in (*_lines(value), *_URL_PASSWORD.findall(value)):
        found |= {part, *_escaped(part)}
    return frozenset(form for form in found if len(form) >= SHORTEST)


def _lines(value: str) -> tuple[str, ...]:
    lines = value.strip().splitlines()
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
        yield "".join(_GO_ESCAPES.get(character, character) for character in plain)


def _url(text: str) -> Iterator[str]:
    raw = text.encode("utf-8", "surrogateescape")
    for form in (quote(raw, safe=""), quote(raw), quote_plus(raw), quote_plus(raw, safe="/:@")):
        yield form
        yield _lower_hex(form)


def _lower_hex(form: str) -> str:
    head, *rest = form.split("%")
    return head + "".join(f"%{part[:2].lower()}{part[2:]}" for part in rest)


def _base64(raw: bytes) -> Iterator[str]:
    """The value encoded alone, and the characters it alone decides when it stands within something longer (`user:value`)."""
    for encode in (base64.b64encode, base64.urlsafe_b64encode):
        yield encode(raw).decode()
        yield encode(raw).decode().rstrip("=")
        for before in range(3):
            # Each character holds 6 bits; those that also hold bits of a neighbour are left out.
            first = -(-before * 8 // 6)
            last = (before + len(raw)) * 8 // 6
            yield encode(bytes(before) + raw + bytes(3)).decode()[first:last]
