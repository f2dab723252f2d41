"""Git repositories and their refs, as values."""

from __future__ import annotations

import base64
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from pipelines.engine.embedded.errors import InvalidInput
from pipelines.foundation.redaction import without_passwords

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from pipelines.engine.embedded.ops.values.states import DirectoryState

SCHEMES = re.compile(r"(https?|git|ssh|file)://|[\w.-]+@[\w.-]+:")
COMMIT = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class GitRepository:
    """A repository; `environment` holds what git needs to be let in (never part of a key).

    `source` is where git's files are, of a repository in a directory of ours; `url` then names their content.
    """

    url: str
    environment: Mapping[str, str] = field(default_factory=dict, compare=False, repr=False)
    source: DirectoryState | None = None


@dataclass(frozen=True, slots=True)
class GitRef:
    """A ref of a repository, resolved: `name` in full (`refs/heads/main`) or the commit itself."""

    repository: GitRepository
    name: str
    commit: str


def open_repository(
    url: str,
    *,
    username: str = "",
    token: bytes | None = None,
    header: bytes | None = None,
    socket: Path | None = None,
    known_hosts: str = "",
) -> GitRepository:
    """A repository, and how to be let in: by HTTP token or header, or by an SSH agent's socket.

    Raises:
        InvalidInput: not an URL git can fetch from.
    """
    if not SCHEMES.match(url):
        url = f"https://{url}"
    if url.startswith("-"):
        raise InvalidInput(f"git: {url!r} is not an URL")
    environment: dict[str, str] = {}
    if token is not None:
        pair = base64.b64encode((username or "x-access-token").encode() + b":" + token.strip()).decode()
        header = f"Basic {pair}".encode()
    if header is not None:
        setting = f"Authorization: {header.decode().strip()}"
        environment |= {"GIT_CONFIG_COUNT": "1", "GIT_CONFIG_KEY_0": f"http.{_server(url)}.extraHeader", "GIT_CONFIG_VALUE_0": setting}
    if socket is not None:
        environment["SSH_AUTH_SOCK"] = str(socket)
    if known_hosts:
        option = "-o StrictHostKeyChecking=yes -o KnownHostsCommand='printf %s\\\\n \"$LOCKGATE_KNOWN_HOSTS\"'"
        environment |= {"GIT_SSH_COMMAND": f"ssh {option}", "LOCKGATE_KNOWN_HOSTS": known_hosts}
    return GitRepository(url, environment)


def _server(url: str) -> str:
    """The server of a repository, as settings for URLs name it (git-config(1), http.<url>.*): nobody else gets its header, as a submodule's
    server would.
    """
    try:
        parts = urlsplit(url)
    except ValueError as error:  # a bracket that does not close
        raise InvalidInput(f"git: {without_passwords(url)!r} is not an URL: {error}") from None
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}/"
