"""The user's credentials for a registry: containers-auth.json(5) and Docker's config file, as every tool reads them."""

from __future__ import annotations

import base64
import binascii
import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipelines.foundation.regular_files import read_text

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_HUB_KEYS = ("docker.io", "https://index.docker.io/v1/", "index.docker.io", "registry-1.docker.io")


def login(domain: str, environ: Mapping[str, str]) -> tuple[str, str] | None:
    """User and password for a registry; None when no file has an entry for it. Credential helpers are not asked: they may ask a person."""
    names = _HUB_KEYS if domain == "docker.io" else (domain, f"https://{domain}")
    for file in _files(environ):
        auths = _auths(file)
        for name in names:
            known = _decoded(auths.get(name))
            if known is not None:
                return known
    return None


def _files(environ: Mapping[str, str]) -> Iterator[Path]:
    named = environ.get("REGISTRY_AUTH_FILE")
    if named:
        yield Path(named)
        return
    runtime, home = environ.get("XDG_RUNTIME_DIR"), environ.get("HOME")
    yield Path(runtime) / "containers/auth.json" if runtime else Path(f"/run/containers/{os.getuid()}/auth.json")
    if home or environ.get("XDG_CONFIG_HOME"):
        yield Path(environ.get("XDG_CONFIG_HOME") or f"{home}/.config") / "containers/auth.json"
    if home or environ.get("DOCKER_CONFIG"):
        yield Path(environ.get("DOCKER_CONFIG") or f"{home}/.docker") / "config.json"


def _auths(file: Path) -> dict[str, Any]:
    try:
        auths = json.loads(read_text(file))["auths"]
    except (OSError, ValueError, LookupError, TypeError, RecursionError):
        return {}  # as other container tools do: a file that cannot be read counts as empty
    return auths if isinstance(auths, dict) else {}


def _decoded(entry: Any) -> tuple[str, str] | None:
    auth = entry.get("auth") if isinstance(entry, dict) else None
    try:
        user, colon, password = base64.b64decode(auth or "", validate=True).decode().partition(":")
    except (ValueError, TypeError, binascii.Error):
        return None
    return (user, password) if colon else None
