"""Credentials for registries: the user's own and those a pipeline gives, in one file that only skopeo reads.

Places and format: containers-auth.json(5), and Docker's config file.
"""

from __future__ import annotations

import base64
import json
import os
import shutil
import tempfile
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipelines.engine.embedded.images import refs

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping


@dataclass(frozen=True, slots=True)
class Login:
    """A user's name and password or token."""

    username: str
    password: bytes = field(repr=False)


def registry(address: str) -> str:
    """The registry that an address (``https://host/v2/``, ``host:5000``, ``host/repository:tag``) is about."""
    host = address.partition("://")[2] or address
    first, slash, _ = host.partition("/")
    if not slash and (":" in first or "." in first or first == "localhost"):
        return refs.HUB if first == "index.docker.io" else first
    if "://" in address or first == "index.docker.io":
        return refs.HUB if first in {"index.docker.io", "registry-1.docker.io"} else first
    return refs.parse(host.rstrip("/")).domain


@contextmanager
def auth_file(logins: Mapping[str, Login], environment: Mapping[str, str] | None = None) -> Iterator[Path | None]:
    """A file for ``--authfile`` (mode 0600, in a folder of its own), gone afterwards; None where the user's own files are enough.

    Args:
        logins: by registry; they count more than the user's.
        environment: where to look for the user's files, by default this process's.
    """
    if not logins:
        yield None
        return
    own = {host: {"auth": _encode(login)} for host, login in logins.items()}
    merged = _merge([{"auths": own}, *(_read(path) for path in places(os.environ if environment is None else environment))])
    folder = Path(tempfile.mkdtemp(prefix="lockgate-"))
    try:
        path = folder / "auth.json"
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            json.dump(merged, file)
        yield path
    finally:
        shutil.rmtree(folder)


def places(environment: Mapping[str, str]) -> list[Path]:
    """Where the user's credentials may be, the first that knows a registry counts."""
    home = Path(environment.get("HOME") or "~").expanduser()
    runtime = environment.get("XDG_RUNTIME_DIR") or f"/run/containers/{os.getuid()}"
    config = Path(environment.get("XDG_CONFIG_HOME") or home / ".config")
    named = environment.get("REGISTRY_AUTH_FILE")
    found = [
        Path(runtime) / ("containers/auth.json" if environment.get("XDG_RUNTIME_DIR") else "auth.json"),
        config / "containers/auth.json",
    ]
    docker = Path(environment.get("DOCKER_CONFIG") or home / ".docker") / "config.json"
    return [Path(named)] if named else [*found, docker]


def _read(path: Path) -> dict[str, Any]:
    try:
        value = json.loads(path.read_text())
    except (OSError, ValueError):
        return {}  # as containers tools do: a file that is not there or not readable knows no registry
    return value if isinstance(value, dict) else {}


def _merge(files: list[dict[str, Any]]) -> dict[str, Any]:
    auths: dict[str, Any] = {}
    helpers: dict[str, str] = {}
    for file in files:
        # A helper of a later file must not take over a registry that an earlier file knows.
        helpers |= {host: name for host, name in (file.get("credHelpers") or {}).items() if host not in auths and host not in helpers}
        auths |= {host: value for host, value in (file.get("auths") or {}).items() if host not in auths and host not in helpers}
    return {"auths": auths} | ({"credHelpers": helpers} if helpers else {})


def _encode(login: Login) -> str:
    return base64.b64encode(login.username.encode() + b":" + login.password).decode()
