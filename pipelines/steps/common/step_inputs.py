"""What every built-in step is given when it runs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    import dagger

    from pipelines.model import BuiltImage, Project, Source
    from pipelines.steps.definition import StepContext


@dataclass(frozen=True, slots=True, kw_only=True)
class StepInputs:
    """The values that every built-in step takes, and the images it named, by their names in the configuration."""

    client: dagger.Client
    context: StepContext
    project: Project
    source: Source
    images: Mapping[str, BuiltImage]
