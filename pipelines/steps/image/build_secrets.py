"""Which build secrets an image gets: its own, and those of `[build]` that its Dockerfile asks for."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

from pipelines.foundation.regular_files import read_text

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pipelines.model import Project, SecretRef
    from pipelines.steps.image.spec import ImageSpec

_ID = re.compile(r"""\bid=["']?([^\s,"'\\]+)""")


def secrets_of(spec: ImageSpec, project: Project) -> Mapping[str, SecretRef]:
    """The secrets of an image, by id.

    A secret of `[build]` holds for every image, so it is read only where the Dockerfile names its id: a file of the machine that is
    missing, or a command that asks somebody, troubles no image that does not need it.
    """
    if not project.build_secrets:
        return spec.secrets
    asked = _asked(Path(project.root) / spec.context / spec.dockerfile)
    return {**{name: secret for name, secret in project.build_secrets.items() if name in asked}, **spec.secrets}


def _asked(dockerfile: Path) -> frozenset[str]:
    try:
        return frozenset(_ID.findall(read_text(dockerfile, errors="replace")))
    except OSError:
        return frozenset()
