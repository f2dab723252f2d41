"""What of the configuration shapes what is published."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipelines.errors import ConfigError
from pipelines.steps.common.settings import short, step_settings
from pipelines.steps.common.tags import tags_of
from pipelines.steps.image.settings import image_settings, label_settings
from pipelines.steps.image.spec import images_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pipelines.model import Project, Source
    from pipelines.steps.common.settings import Setting
    from pipelines.steps.common.tags import Tag
    from pipelines.steps.definition import StepSettings
    from pipelines.steps.publish.spec import PublishSpec


def settings(spec: PublishSpec, name: str, project: Project, source: Source) -> StepSettings:
    """What shapes the step that publishes an image; what is in the registry is asked each time."""
    return step_settings(_settings(spec, name, project, source), asked=("the registry has it as it was",))


def _settings(spec: PublishSpec, name: str, project: Project, source: Source) -> Iterator[Setting]:
    image = images_of(project)[name]
    yield from image_settings(image, project, source)
    yield from label_settings(image, project, source)
    yield "[registry] url", short(project.registry.url if project.registry is not None else None)
    yield "[publish] tags", short(_tags(spec, source))


def _tags(spec: PublishSpec, source: Source) -> tuple[Tag, ...]:
    try:
        return tags_of(spec, source)
    except ConfigError:
        return ()  # the step says what is wrong with them
