"""The kinds of step: one line each. Nothing else in the house knows their names."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pipelines.steps.interface import Kind


def kind_in(package: str) -> Kind:
    """The kind that a package defines: `KIND` in its module `kind`."""
    kind: Kind = importlib.import_module(f"{package}.kind").KIND
    return kind


KINDS: tuple[Kind, ...] = tuple(
    kind_in(package)
    for package in (
        "pipelines.steps.image",
        "pipelines.steps.test",
        "pipelines.steps.scan",
        "pipelines.steps.perf",
        "pipelines.steps.publish",
    )
)
