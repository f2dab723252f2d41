"""Permissions for one checkout on one machine: only lockgate.local.toml may give them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipelines.config.discover import LOCAL_FILE
from pipelines.config.origin import Layer

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pipelines.config.layers import Layers
    from pipelines.model import Project

_FIXTURE = ("scan", "allow_fixture_database")


def permission(project: Project, layers: Layers) -> Iterator[str]:
    """One line for every permission that comes from a wrong place, as `path: message`.

    A made-up vulnerability database proves only that scanning works. If it counted everywhere, every scan on the machine, or of
    everybody who has the project, would pass without a reason.
    """
    if project.scan is None or not project.scan.allow_fixture_database:
        return
    origin = layers.origin(_FIXTURE)
    if origin is not None and origin.layer is not Layer.LOCAL:
        yield f"{'.'.join(_FIXTURE)}: only {LOCAL_FILE} may allow a made-up database; this value comes from {origin}"
