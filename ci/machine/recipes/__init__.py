"""How images are built where they cannot be pulled. A recipe fills an empty folder with an OCI layout."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from ci.machine.recipes import database, debian, gotool

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from ci.machine.catalog import ImageSpec
    from ci.machine.part import Machine


class Recipe(Protocol):
    """Builds one kind of image."""

    def __call__(self, machine: Machine, spec: ImageSpec, folder: Path, layouts: Mapping[str, Path]) -> None:
        """Write an OCI layout to `folder` (which does not exist yet). `layouts` are the images built before, by name.

        Raises:
            SetupError: it cannot be built here.
        """
        ...


RECIPES: Mapping[str, Recipe] = {"debian": debian.build, "go": gotool.build, "trivy-db": database.build}
