"""Refs of a repository: listed once a session, found by their full names, and the tag of the latest version."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from pipelines.engine.embedded.errors import NotFound
from pipelines.engine.embedded.ops.git.local import located
from pipelines.engine.embedded.ops.git.run import git
from pipelines.engine.embedded.ops.values.repository import GitRef
from pipelines.foundation.redaction import without_passwords

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pipelines.engine.embedded.ops.interface import ClientSession
    from pipelines.engine.embedded.ops.values.repository import GitRepository

VERSION = re.compile(r"v?(\d+)\.(\d+)\.(\d+)(?:-([0-9A-Za-z.-]+))?(?:\+[0-9A-Za-z.-]+)?")


async def list_refs(session: ClientSession, repository: GitRepository) -> dict[str, str]:
    """Commits by full ref name; an annotated tag stands for the commit it tags."""
    async with located(session, repository) as where:
        listed = await git(repository, ["ls-remote", "--symref", where])
    refs: dict[str, str] = {}
    for line in listed.splitlines():
        commit, _, name = line.partition("\t")
        if commit.startswith("ref: "):
            refs["symbolic " + name] = commit.removeprefix("ref: ")
        elif name.endswith("^{}") or name not in refs:
            refs[name.removesuffix("^{}")] = commit
    return refs


async def resolve(session: ClientSession, repository: GitRepository, *names: str) -> GitRef:
    """The first of the full names that the repository has.

    Raises:
        NotFound: it has none of them.
    """
    refs = await session.git_refs(repository)
    for name in names:
        if name == "HEAD" and "HEAD" in refs:
            return GitRef(repository, refs.get("symbolic HEAD", "HEAD"), refs["HEAD"])
        if name in refs:
            return GitRef(repository, name, refs[name])
    where = without_passwords(repository.url) if repository.source is None else "the directory"
    raise NotFound(f'git: {where}: repository does not contain ref "{names[0]}"')


def latest_version(tags: Iterable[str]) -> str:
    """The highest tag by semantic versioning (semver.org 2.0.0, point 11), with or without a `v`.

    Raises:
        NotFound: none of them is a version.
    """
    versions = [(match, tag) for tag in tags if (match := VERSION.fullmatch(tag))]
    if not versions:
        raise NotFound("git: no tag is a semantic version")
    return max(versions, key=lambda one: _precedence(one[0]))[1]


def _precedence(version: re.Match[str]) -> tuple[tuple[int, ...], bool, list[tuple[bool, int, str]]]:
    """The order of versions: a release comes after its pre-releases; in these, numbers come before texts and are compared by value."""
    before = version[4]
    parts = [(not part.isdecimal(), int(part) if part.isdecimal() else 0, part) for part in (before or "").split(".")]
    return tuple(int(version[place]) for place in (1, 2, 3)), before is None, parts
