"""The user's credentials for registries, as every container tool finds them.

Places and format: containers-auth.json(5), and Docker's ``config.json``. The first file that knows a registry counts. A file that cannot be
read counts as empty, as for other container tools.
"""

from __future__ import annotations

import base64
import binascii
import json
import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipelines.foundation.image_reference import HUB, parse_image_reference
from pipelines.foundation.regular_files import read_text

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

_HUB_KEYS = (HUB, "https://index.docker.io/v1/", "index.docker.io", "registry-1.docker.io")


@dataclass(frozen=True, slots=True)
class RegistryLogin:
    """The name of a user, and a password or token as bytes; its repr does not show the password."""

    username: str
    password: bytes = field(repr=False)

    def encoded(self) -> str:
        """Both as HTTP's basic authentication and credentials files write them (RFC 7617): base64 of ``name:password``."""
        return base64.b64encode(self.username.encode() + b":" + self.password).decode()


def find_login(repository: str, environ: Mapping[str, str]) -> RegistryLogin | None:
    """The user's login for a repository (``host[:port]/path``) or a registry (``host[:port]``).

    An entry for a longer part of the path counts more than one for the registry as a whole. Credential helpers are not run: they may ask a
    person.

    Returns:
        None when no file has an entry for it.
    """
    keys = tuple(_keys(repository))
    for file in credentials_files(environ):
        entries = _table(read_credentials(file), "auths")
        for key in keys:
            login = _decoded(entries.get(key))
            if login is not None:
                return login
    return None


def registry_of(address: str) -> str:
    """The registry (``host[:port]``) that an address is about: ``https://host/v2/``, ``host:5000`` or ``host/repository:tag``.

    Raises:
        ImageReferenceError: the address is none of these.
    """
    host = address.partition("://")[2] or address
    first, slash, _ = host.partition("/")
    if not slash and (":" in first or "." in first or first == "localhost"):
        return HUB if first == "index.docker.io" else first
    if "://" in address or first == "index.docker.io":
        return HUB if first in {"index.docker.io", "registry-1.docker.io"} else first
    return parse_image_reference(host.rstrip("/")).domain


def credentials_files(environ: Mapping[str, str]) -> tuple[Path, ...]:
    """Where credentials may be, the file that counts most first. A file that `REGISTRY_AUTH_FILE` names is the only one."""
    named = environ.get("REGISTRY_AUTH_FILE")
    if named:
        return (Path(named),)
    home = Path(environ.get("HOME") or os.path.expanduser("~"))  # noqa: PTH111 - Path's raises for a user without an account
    runtime = environ.get("XDG_RUNTIME_DIR")
    return (
        Path(runtime) / "containers/auth.json" if runtime else Path(f"/run/containers/{os.getuid()}/auth.json"),
        Path(environ.get("XDG_CONFIG_HOME") or home / ".config") / "containers/auth.json",
        Path(environ.get("DOCKER_CONFIG") or home / ".docker") / "config.json",
    )


def read_credentials(file: Path) -> dict[str, Any]:
    """The JSON object in a credentials file; empty when it cannot be read, is not a regular file, or holds something else."""
    try:
        content = json.loads(read_text(file))
    except (OSError, ValueError, RecursionError):
        return {}
    return content if isinstance(content, dict) else {}


def merged_credentials(logins: Mapping[str, RegistryLogin], files: Iterable[Path]) -> dict[str, Any]:
    """One credentials document (as JSON values) of logins by registry, which count most, and of files, the first of which count more."""
    auths: dict[str, Any] = {registry: {"auth": login.encoded()} for registry, login in logins.items()}
    helpers: dict[str, str] = {}
    for document in map(read_credentials, files):
        # A helper of a later file must not take over a registry that an earlier file knows.
        helpers |= {host: name for host, name in _table(document, "credHelpers").items() if host not in auths and host not in helpers}
        auths |= {host: entry for host, entry in _table(document, "auths").items() if host not in auths and host not in helpers}
    return {"auths": auths} | ({"credHelpers": helpers} if helpers else {})


def _keys(repository: str) -> Iterator[str]:
    """The names an entry may have, the most exact first (containers-auth.json(5): host/path, then shorter paths, then the host)."""
    domain, *path = repository.split("/")
    for end in range(len(path), 0, -1):
        yield "/".join((domain, *path[:end]))
    yield from _HUB_KEYS if domain in _HUB_KEYS else (domain, f"https://{domain}")


def _table(document: dict[str, Any], name: str) -> dict[str, Any]:
    table = document.get(name)
    return table if isinstance(table, dict) else {}


def _decoded(entry: Any) -> RegistryLogin | None:
    auth = entry.get("auth") if isinstance(entry, dict) else None
    try:
        user, colon, password = base64.b64decode(auth or "", validate=True).partition(b":")
        return RegistryLogin(user.decode(), password) if colon else None
    except (ValueError, TypeError, binascii.Error):
        return None
