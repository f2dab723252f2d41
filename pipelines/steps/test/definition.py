"""The steps that run tests, one for each."""

from __future__ import annotations

import shlex
from functools import partial
from typing import TYPE_CHECKING

from pipelines.steps.common.define import StepCode, define
from pipelines.steps.image.uses import image_steps
from pipelines.steps.test.section import SECTION
from pipelines.steps.test.settings import settings
from pipelines.steps.test.spec import NAME, configured_tests

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator

    from pipelines.model import Project, Source
    from pipelines.steps.definition import StepDef, ValueKeeper
    from pipelines.steps.interface import RunOptions
    from pipelines.steps.test.spec import TestSpec


def definitions(project: Project, source: Source, _options: RunOptions) -> Iterator[StepDef]:
    """A step for every test."""
    for spec in configured_tests(project).values():
        yield define(
            NAME,
            spec.name,
            section=SECTION.key,
            code=StepCode(load=_code, arguments=(spec,)),
            images=image_steps(project, [spec.image.name, *(service.image for service in spec.services.values())]),
            keeper=partial(_keeper, spec),
            limits=spec.limits,
            describe=_describe(spec),
            settings=partial(settings, spec, project, source),
        )


def _describe(spec: TestSpec) -> str:
    """`pytest -q in shop (stage test), with shop`."""
    stage = f" (stage {spec.image.target})" if spec.image.target else ""
    services = f", with {', '.join(spec.services)}" if spec.services else ""
    return f"{shlex.join(spec.command)} in {spec.image.name}{stage}{services}"


def _code() -> Callable[..., Awaitable[object]]:
    from pipelines.steps.test.run import step

    return step


def _keeper(spec: TestSpec) -> ValueKeeper:
    from pipelines.steps.test.keeper import CheckOfTestKeeper

    return CheckOfTestKeeper(spec)
