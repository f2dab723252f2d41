"""The form of secret URIs: where a secret is, never what it is. Messages never repeat the value: it may be the secret itself."""

from __future__ import annotations

import re

_ENV_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_LATER = ("aws+ps", "aws+sm", "gcp", "libsecret", "op", "vault")
_HOW = "write env://NAME, file://PATH or cmd://COMMAND"


def check_secret_uri(value: str) -> str:
    """Return a secret URI as it is, when its form is right.

    Raises:
        ValueError: no URI, a scheme this version cannot read, or nothing after the scheme.
    """
    scheme, separator, rest = value.partition("://")
    if not separator:
        raise ValueError(f"expected the place of the secret, not the secret itself: {_HOW}")
    if scheme in _LATER:
        raise ValueError(f"{scheme}:// is not supported by this version: {_HOW}")
    if scheme not in ("env", "file", "cmd"):
        raise ValueError(f"unknown kind of secret URI: {_HOW}")
    if not rest.strip():
        raise ValueError(f"nothing follows {scheme}://: {_HOW}")
    if scheme == "env" and not _ENV_NAME.fullmatch(rest):
        raise ValueError("env:// must be followed by the name of an environment variable")
    return value
