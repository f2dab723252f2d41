"""One line about publishing an image, for `plan`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipelines.steps.common.tags import named_after_commit, repository, tags_of

if TYPE_CHECKING:
    from pipelines.model import Project, Source
    from pipelines.steps.publish.spec import PublishSpec


def describe(project: Project, spec: PublishSpec, image: str, source: Source) -> str:
    """`push registry.example.com/team/shop:1.4.0`."""
    if project.registry is None:
        return f"push {image}"
    place = repository(project.registry, image)
    if source.unknown is not None and named_after_commit(spec):
        return f"push {place}: refused, since git does not say from which commit this is"
    return f"push {place}:{', '.join(tag.name for tag in tags_of(spec, source))}"
