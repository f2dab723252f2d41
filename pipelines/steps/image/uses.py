"""Who uses the images of a project, whatever kind of step it is: found in the model by the types of references."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipelines.model import values_of
from pipelines.steps.common.service_spec import ServiceSpec
from pipelines.steps.image.spec import ImageTarget, image_step, images_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pipelines.model import Project


def stages_used(project: Project, image: str) -> tuple[str, ...]:
    """The stages of an image, beside the one that ships, that steps and services run in."""
    used = [(target.name, target.target) for target in values_of(ImageTarget, project.steps)]
    used += [(service.image, service.target) for service in values_of(ServiceSpec, project.steps)]
    ships = images_of(project)[image].target
    return tuple(dict.fromkeys(target for name, target in used if name == image and target is not None and target != ships))


def image_steps(project: Project, names: Iterable[str]) -> dict[str, str]:
    """The ids of the steps that build images of the project, by their names; other names are left out: they are images of others."""
    return {name: image_step(name) for name in names if name in images_of(project)}


def foreign_images(project: Project, services: Iterable[ServiceSpec]) -> tuple[str, ...]:
    """The images of services that are not the project's own: those are pulled."""
    return tuple(service.image for service in services if service.image not in images_of(project))
