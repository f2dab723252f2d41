"""Facts about the commit a run works on, from git."""

from __future__ import annotations

import re
import shutil
from typing import TYPE_CHECKING
from urllib.parse import urlsplit, urlunsplit

from pipelines.foundation.process.blocking import run_blocking
from pipelines.foundation.process.result import ProcessError
from pipelines.model import Source

if TYPE_CHECKING:
    from pathlib import Path

NO_VERSION = "0.0.0"
_SNAPSHOT = re.compile(r"(-\d+-g[0-9a-f]{4,}|\+g[0-9a-f]{4,})?(\.dirty)?$")
_HEADER = re.compile(r"^# branch\.(oid|head) (.+)$", re.MULTILINE)
_TIMEOUT_S = 30
_MOST_OUTPUT = 256 << 20


def read_source(root: Path) -> Source:
    """The commit `root` is at; a `Source` with nothing but the version 0.0.0 outside git (or without git, or without a commit).

    Reads only: git takes no optional locks, so its index does not change under a build.
    """
    status = _git(
        root, "status", "--porcelain=v2", "--branch", "--untracked-files=normal", "--", ":/", ":(top,exclude,glob)**/.lockgate/**"
    )
    facts = dict(_HEADER.findall(status or ""))
    revision = facts.get("oid")
    if status is None or revision in {None, "(initial)"}:
        return Source(root=str(root), version=NO_VERSION)
    dirty = any(not line.startswith("# ") for line in status.splitlines())
    return Source(
        root=str(root),
        revision=revision,
        branch=None if facts.get("head") == "(detached)" else facts.get("head"),
        version=_version(root, str(revision), dirty=dirty),
        created=_git(root, "show", "--no-patch", "--format=%cI", "HEAD"),
        remote=_without_password(_git(root, "config", "--get", "remote.origin.url")),
        dirty=dirty,
    )


def is_release(source: Source) -> bool:
    """Whether the version names one content for good: a clean commit that carries the tag itself."""
    found = _SNAPSHOT.search(source.version)
    return source.revision is not None and not source.dirty and found is not None and not found.group(0)


def _version(root: Path, revision: str, *, dirty: bool) -> str:
    described = _git(root, "describe", "--tags", "--match", "[0-9]*", "--match", "v[0-9]*")
    version = described.removeprefix("v") if described else f"{NO_VERSION}+g{revision[:7]}"
    return f"{version}.dirty" if dirty else version


def _without_password(remote: str | None) -> str | None:
    """A remote's address without credentials: CI systems put tokens into it."""
    if remote is None or "://" not in remote:
        return remote
    parts = urlsplit(remote)
    return urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2]))


def _git(root: Path, *arguments: str) -> str | None:
    """What git says, stripped; None when it fails or is not installed."""
    git = shutil.which("git")
    if git is None:
        return None
    command = [git, "--no-optional-locks", "-C", str(root), *arguments]
    try:
        done = run_blocking(command, timeout_s=_TIMEOUT_S, stdout_limit=_MOST_OUTPUT)
    except (OSError, ProcessError):
        return None
    return done.text.strip() if done.code == 0 else None
