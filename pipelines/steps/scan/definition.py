"""The steps that scan: one for every image, and one for the sources."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from pipelines.steps.common.define import StepCode, define
from pipelines.steps.image.spec import images_of
from pipelines.steps.image.uses import image_steps
from pipelines.steps.scan.section import SECTION
from pipelines.steps.scan.settings import settings
from pipelines.steps.scan.spec import NAME, SOURCES, scan_of

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator

    from pipelines.model import Project, Source
    from pipelines.steps.definition import StepDef, ValueKeeper
    from pipelines.steps.interface import RunOptions
    from pipelines.steps.scan.spec import ScanSpec


def definitions(project: Project, source: Source, _options: RunOptions) -> Iterator[StepDef]:
    """A step for every image, and one for the project's files, where `[scan]` is configured."""
    spec = scan_of(project)
    if spec is None:
        return
    for image in (*images_of(project), *([None] if spec.sources else [])):
        yield define(
            NAME,
            SOURCES if image is None else image,
            section=SECTION.key,
            code=StepCode(load=_code, arguments=(spec, image)),
            images=image_steps(project, [] if image is None else [image]),
            keeper=partial(_keeper, spec, image),
            limits=spec.limits,
            describe=_describe(spec, image),
            settings=partial(settings, spec, image, project, source),
        )


def _describe(spec: ScanSpec, image: str | None) -> str:
    """`Trivy on image shop, fails on high`."""
    what = f"image {image}" if image is not None else "the sources"
    return f"Trivy on {what}, fails on {spec.fail_on.value}"


def _code() -> Callable[..., Awaitable[object]]:
    from pipelines.steps.scan.run import step

    return step


def _keeper(spec: ScanSpec, image: str | None) -> ValueKeeper:
    from pipelines.steps.scan.keeper import ScanKeeper

    return ScanKeeper(spec, image)
