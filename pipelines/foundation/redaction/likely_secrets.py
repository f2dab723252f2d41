"""Secrets that are not declared: in the report of an internal error, in the address of a repository."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from pipelines.foundation.redaction.redactor import MASK, Redactor

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_NAMED = re.compile(r"TOKEN|SECRET|PASSW|PASSPHRASE|CREDENTIAL|PRIVATE|API_?KEY|ACCESS_?KEY|(^|_)(KEY|PAT|PWD|AUTH)$", re.IGNORECASE)
_SHORTEST = 8
"""Characters of a value below which a name alone makes no secret of it."""
_URL_PASSWORD = re.compile(r"(\b[a-z][a-z0-9+.-]*://)[^\s/@'\"]*(:[^\s/@'\"]*)@", re.IGNORECASE)
_LONE_TOKEN = re.compile(r"(\bhttps?://)[^\s/@:'\"]{8,}@", re.IGNORECASE)


def likely_secrets(environ: Mapping[str, str]) -> Iterator[str]:
    """Values of variables whose names are those of secrets (TOKEN, PASSWORD …)."""
    yield from (value for name, value in environ.items() if _NAMED.search(name) and len(value.strip()) >= _SHORTEST)


def without_passwords(text: str) -> str:
    """The text with the credentials in every URL masked: `https://user:password@host`, `https://token@host`."""
    return _LONE_TOKEN.sub(rf"\1{MASK}@", _URL_PASSWORD.sub(rf"\1{MASK}@", text))


def without_likely_secrets(text: str, environ: Mapping[str, str]) -> str:
    """The text without what is likely to be a secret."""
    return Redactor(likely_secrets(environ)).text(without_passwords(text))
