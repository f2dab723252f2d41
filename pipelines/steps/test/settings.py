"""What of the configuration shapes a test."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

from pipelines.steps.common.settings import fields, short, step_settings
from pipelines.steps.common.wrapper import SCRIPT
from pipelines.steps.image.settings import image_settings, services_settings, stages_settings
from pipelines.steps.image.spec import images_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pipelines.model import Project, Source
    from pipelines.steps.common.settings import Setting
    from pipelines.steps.definition import StepSettings
    from pipelines.steps.test.spec import TestSpec


def settings(spec: TestSpec, project: Project, source: Source) -> StepSettings:
    """What shapes the step of a test."""
    return step_settings(_settings(spec, project, source))


def _settings(spec: TestSpec, project: Project, source: Source) -> Iterator[Setting]:
    image = images_of(project)[spec.image.name]
    yield from stages_settings(image, project, source)
    if spec.image.target is None:
        yield from image_settings(image, project, source)
    yield "Lockgate's wrapper of commands", short(SCRIPT)
    yield f"[tests.{spec.name}] image", short(dataclasses.astuple(spec.image))
    yield from fields(f"[tests.{spec.name}]", spec, but={"image", "services"})
    yield from services_settings(f"[tests.{spec.name}] services", spec.services, project, source)
