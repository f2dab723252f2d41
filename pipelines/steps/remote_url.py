"""Where a project's repository is, as everybody may read it: a URL, without credentials."""

from __future__ import annotations

import re
from urllib.parse import urlsplit, urlunsplit

_SCHEMES = frozenset({"http", "https", "git", "ssh", "git+ssh", "ssh+git", "git+https", "git+http"})
_WITH_USER = frozenset({"ssh", "git+ssh", "ssh+git"})
_SCP = re.compile(r"(?:(?P<user>[\w.+-]+)@)?(?P<host>[A-Za-z0-9][\w.-]+|\[[0-9A-Fa-f:.]+\]):(?!:)(?P<path>[^\s\\]+)")


def public_url(remote: str | None) -> str | None:
    """The URL of a git remote, fit to be published; None for what is not a URL, such as a path of this machine.

    `user@host:path`, as scp writes it, becomes an ssh URL. User names and passwords (CI systems put tokens there), query and fragment are
    left out; of ssh the user name stays, since it is part of the address (`git@`).
    """
    if remote is None:
        return None
    if "://" not in remote:
        return _of_scp(remote)
    try:
        parts = urlsplit(remote)
        host, user, port = parts.hostname, parts.username, parts.port
    except ValueError:
        return None
    scheme = parts.scheme.lower()
    if scheme not in _SCHEMES or not host:
        return None
    place = (f"[{host}]" if ":" in host else host) + (f":{port}" if port is not None else "")
    if user and scheme in _WITH_USER:
        place = f"{user}@{place}"
    return urlunsplit((scheme, place, parts.path, "", ""))


def _of_scp(remote: str) -> str | None:
    found = _SCP.fullmatch(remote)
    if found is None or "/" in remote.partition(":")[0]:
        return None
    user = f"{found['user']}@" if found["user"] else ""
    return f"ssh://{user}{found['host']}/{found['path'].lstrip('/')}"
