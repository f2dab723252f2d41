"""What the configuration says of images."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from pipelines.model import StepLimits

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pipelines.model import Project, SecretRef

NAME = "image"
"""The name of this kind of step."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageSpec:
    """`[images.NAME]`: a multi-stage Dockerfile. `secrets` are build secrets by id; `args` are build arguments."""

    name: str
    context: str = "."
    dockerfile: str = "Dockerfile"
    target: str | None = None
    base: str | None = None
    args: Mapping[str, str] = field(default_factory=dict)
    platforms: tuple[str, ...] = ()
    secrets: Mapping[str, SecretRef] = field(default_factory=dict)
    labels: Mapping[str, str] = field(default_factory=dict)
    limits: StepLimits = field(default_factory=StepLimits)


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageTarget:
    """The image (and stage of it) something runs in."""

    name: str
    target: str | None = None


def image_step(name: str) -> str:
    """The id of the step that builds an image of the project."""
    return f"{NAME}.{name}"


def images_of(project: Project) -> Mapping[str, ImageSpec]:
    """The images of a project, by name."""
    return project.steps.get(NAME, {})
