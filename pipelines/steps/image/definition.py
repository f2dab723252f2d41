"""The steps that build images, one for each."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from pipelines.steps.common.define import StepCode, define
from pipelines.steps.image.section import SECTION
from pipelines.steps.image.settings import settings
from pipelines.steps.image.spec import NAME, images_of
from pipelines.steps.image.uses import stages_used

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator, Sequence

    from pipelines.model import Project, Source
    from pipelines.steps.definition import StepDef, ValueKeeper
    from pipelines.steps.image.spec import ImageSpec
    from pipelines.steps.interface import RunOptions


def definitions(project: Project, source: Source, _options: RunOptions) -> Iterator[StepDef]:
    """A step for every image."""
    for spec in images_of(project).values():
        yield define(
            NAME,
            spec.name,
            section=SECTION.key,
            code=StepCode(load=_code, arguments=(spec, stages_used(project, spec.name))),
            provides="BuiltImage",
            keeper=partial(_keeper, spec, stages_used(project, spec.name)),
            limits=spec.limits,
            describe=_describe(spec),
            settings=partial(settings, spec, project, source),
        )


def _describe(spec: ImageSpec) -> str:
    """`build ./Dockerfile, stage runtime, on python`."""
    words = [f"build {spec.context.rstrip('/')}/{spec.dockerfile}"]
    words += [f"stage {spec.target}"] if spec.target else []
    words += [f"on {spec.base}"] if spec.base else []
    words += [f"for {', '.join(spec.platforms)}"] if spec.platforms else []
    return ", ".join(words)


def _code() -> Callable[..., Awaitable[object]]:
    from pipelines.steps.image.run import step

    return step


def _keeper(spec: ImageSpec, stages: Sequence[str]) -> ValueKeeper:
    from pipelines.steps.image.keeper import ImageKeeper

    return ImageKeeper(spec, stages)
