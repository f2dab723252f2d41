"""What is wrong with a reference to an image, in the configuration of any kind of step."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipelines.foundation.similar import closest, did_you_mean
from pipelines.steps.image.spec import images_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pipelines.model import Project
    from pipelines.steps.common.service_spec import ServiceSpec

_TYPO = 0.8


def image_problem(path: str, name: str, project: Project) -> Iterator[str]:
    """A line where the key at `path` names an image that the project does not have."""
    images = images_of(project)
    if name in images:
        return
    others = did_you_mean(name, images) or f"; images: {', '.join(sorted(images))}" if images else ""
    yield f"{path}: there is no [images.{name}]{others}"


def service_problems(path: str, service: ServiceSpec, project: Project) -> Iterator[str]:
    """A line where the service at `path` is of no image.

    A bare word may be a foreign image (`redis`), so only a near miss of a name of ours, or a stage of no image of ours, is wrong.
    """
    images = images_of(project)
    if service.image in images:
        return
    if service.target is not None:
        yield f"{path}.target: {service.image} is not an image of this project, so it has no stages"
    elif closest(service.image, images, at_least=_TYPO) is not None:
        yield from image_problem(f"{path}.image", service.image, project)
