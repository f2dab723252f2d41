"""Names of images to references: what a lock or the package says, or a reference as it was written."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from pipelines.errors import Unavailable
from pipelines.foundation.similar import did_you_mean
from pipelines.model import LockedImage

if TYPE_CHECKING:
    from pipelines.model import Project

_REFERENCE = re.compile(r"[/:@]")


def resolve(project: Project, name: str, *, wanted_by: str) -> LockedImage:
    """The image a name stands for on this machine. A name with `/`, `:` or `@` that is not locked is a reference itself, of origin
    `reference`.

    Raises:
        Unavailable: the name is neither.
    """
    locked = project.locked.get(name)
    if locked is not None:
        return locked
    if _REFERENCE.search(name):
        return LockedImage(name=name, reference=name, origin="reference", layer="", where="")
    hint = did_you_mean(name, project.locked)
    raise Unavailable(
        f"{wanted_by} needs the image {name!r}, which is not in the lock files of this project, this user or this machine{hint}",
        cause=f"known names: {', '.join(sorted(project.locked)) or 'none'}",
        next_step=f"lockgate images use {name} REGISTRY/NAME:TAG, or write a full reference (registry/name:tag@sha256:…) instead",
    )


def digest_of(reference: str) -> str | None:
    """`sha256:…` of a reference that has one."""
    return reference.partition("@")[2] or None
