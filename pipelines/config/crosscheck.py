"""What has to fit together between tables: names that must exist, things that would contradict each other."""

from __future__ import annotations

import difflib
from collections import Counter
from typing import TYPE_CHECKING

from pipelines.config.suggest import did_you_mean

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pipelines.model import Project, ServiceSpec

_TYPO = 0.8


def crosscheck(project: Project) -> tuple[str, ...]:
    """One line for every reference that leads nowhere and every contradiction, as `path: message`."""
    return (*_tests(project), *_perf(project), *_waivers(project), *_publish(project))


def _tests(project: Project) -> Iterator[str]:
    for name, test in project.tests.items():
        if test.image.name not in project.images:
            yield f"tests.{name}.image: {_no_image(test.image.name, project)}"
        for alias, service in test.services.items():
            yield from _service(f"tests.{name}.services.{alias}", service, project)


def _perf(project: Project) -> Iterator[str]:
    for name, perf in project.perf.items():
        yield from _service(f"perf.{name}.service", perf.service, project)


def _service(path: str, service: ServiceSpec, project: Project) -> Iterator[str]:
    """A bare word may be a foreign image (`redis`), so only a near miss of a name of ours, or a stage of no image of ours, is wrong."""
    if service.image in project.images:
        return
    if service.target is not None:
        yield f"{path}.target: {service.image} is not an image of this project, so it has no stages"
    elif difflib.get_close_matches(service.image, project.images, 1, _TYPO):
        yield f"{path}.image: {_no_image(service.image, project)}"


def _no_image(name: str, project: Project) -> str:
    if not project.images:
        return f"there is no [images.{name}]"
    return f"there is no [images.{name}]" + (did_you_mean(name, project.images) or f"; images: {', '.join(sorted(project.images))}")


def _waivers(project: Project) -> Iterator[str]:
    waivers = project.scan.waivers if project.scan else ()
    for rule, count in Counter(waiver.id for waiver in waivers).items():
        if count > 1:
            yield f"scan.waivers: {rule} is waived {count} times; keep one"


def _publish(project: Project) -> Iterator[str]:
    if project.publish is None:
        return
    if not (project.publish.tags or project.publish.moving):
        yield "publish.tags: needs at least one tag here, or one in moving"
    for tag in project.publish.tags:
        if tag in project.publish.moving:
            yield f"publish.moving: {tag} cannot be a tag that never moves and also one that may move"
