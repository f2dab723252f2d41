"""Facts about the commit a run works on, from git."""

from __future__ import annotations

import os
import re
import shlex
import shutil
from typing import TYPE_CHECKING

from pipelines.foundation.files import OWN_FOLDER
from pipelines.foundation.process.blocking import run_blocking
from pipelines.foundation.process.result import ProcessError
from pipelines.model import Source
from pipelines.steps.remote_url import public_url

if TYPE_CHECKING:
    from pathlib import Path

    from pipelines.foundation.process.result import Completed

NO_VERSION = "0.0.0"
_STATUS = ("status", "--porcelain=v2", "--branch", "--untracked-files=normal", "--", ":/", f":(top,exclude,glob)**/{OWN_FOLDER}/**")
_SNAPSHOT = re.compile(r"(-\d+-g[0-9a-f]{4,}|\+g[0-9a-f]{4,})?(\.dirty)?$")
_HEADER = re.compile(r"^# branch\.(oid|head) (.+)$", re.MULTILINE)
_TIMEOUT_S = 30
_MOST_OUTPUT = 256 << 20


def read_source(root: Path) -> Source:
    """The commit `root` is at; a `Source` with nothing but the version 0.0.0 outside git (or without a commit).

    Where the folder is in a repository of which git does not speak, `unknown` says why. Reads only: git takes no optional locks, so its
    index does not change under a build.
    """
    status = _git(root, *_STATUS)
    facts = dict(_HEADER.findall(status or ""))
    revision = facts.get("oid")
    if status is None or revision in {None, "(initial)"}:
        return Source(root=str(root), version=NO_VERSION, unknown=_why_unknown(root) if status is None else None)
    dirty = any(not line.startswith("# ") for line in status.splitlines())
    return Source(
        root=str(root),
        revision=revision,
        branch=None if facts.get("head") == "(detached)" else facts.get("head"),
        version=_version(root, str(revision), dirty=dirty),
        created=_git(root, "show", "--no-patch", "--format=%cI", "HEAD"),
        remote=public_url(_git(root, "config", "--get", "remote.origin.url")),
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


def _why_unknown(root: Path) -> str | None:
    """Why git does not speak of the repository that `root` is in; None where it is in none."""
    top = next((folder for folder in (root, *root.parents) if os.path.lexists(folder / ".git")), None)
    if top is None:
        return None
    if shutil.which("git") is None:
        return f"{top} is a git repository, but git is not installed: version and revision are unknown; install git"
    if any(_owner(path) not in {None, os.geteuid()} for path in (top, top / ".git")):
        return (
            f"git does not trust {top}, which belongs to another owner (dubious ownership): version and revision are unknown; "
            f"to trust it: git config --global --add safe.directory {shlex.quote(str(top))}"
        )
    said = _ask(root, *_STATUS)
    reason = said.complaint.splitlines()[0] if said is not None and said.complaint else "it gave no answer"
    return f"git cannot read the repository {top} ({reason}): version and revision are unknown; see: git -C {shlex.quote(str(root))} status"


def _owner(path: Path) -> int | None:
    try:
        return path.lstat().st_uid
    except OSError:
        return None


def _git(root: Path, *arguments: str) -> str | None:
    """What git says, stripped; None when it fails or is not installed."""
    done = _ask(root, *arguments)
    return done.text.strip() if done is not None and done.code == 0 else None


def _ask(root: Path, *arguments: str) -> Completed | None:
    """What came of running git; None when it is not installed, or takes too long."""
    git = shutil.which("git")
    if git is None:
        return None
    command = [git, "--no-optional-locks", "-C", str(root), *arguments]
    try:
        return run_blocking(command, env={**os.environ, "LC_ALL": "C.UTF-8"}, timeout_s=_TIMEOUT_S, stdout_limit=_MOST_OUTPUT)
    except (OSError, ProcessError):
        return None
