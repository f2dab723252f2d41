"""The steps that publish, one for every image."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from pipelines.errors import ConfigError
from pipelines.steps.common.define import StepCode, define
from pipelines.steps.common.tags import named_after_commit, repository, tags_of
from pipelines.steps.definition import AwaitedChecks
from pipelines.steps.image.spec import images_of
from pipelines.steps.image.uses import image_steps
from pipelines.steps.publish.section import SECTION
from pipelines.steps.publish.settings import settings
from pipelines.steps.publish.spec import NAME, PublishSpec, PublishWhen, publish_of

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator

    from pipelines.model import Project, Source
    from pipelines.steps.definition import StepDef, ValueKeeper
    from pipelines.steps.interface import RunOptions


def definitions(project: Project, source: Source, options: RunOptions) -> Iterator[StepDef]:
    """A step for every image, where `[publish]` is configured or --publish was given.

    Raises:
        ConfigError: publishing is asked for and no registry is configured.
    """
    configured = publish_of(project)
    if configured is None and not options.publish:
        return
    spec = configured or PublishSpec(when=PublishWhen.NEVER)
    skip = _not_its_turn(spec, options)
    if skip is None and project.registry is None:
        raise ConfigError(
            "publish has no registry to push to",
            problems=("registry.url: needed by [publish]",),
            next_step='add [registry] url = "host/path"',
        )
    for name in images_of(project):
        yield define(
            NAME,
            name,
            section=SECTION.key,
            code=StepCode(load=_code, arguments=(spec, name)),
            images=image_steps(project, [name]),
            provides="PublishedImage",
            keeper=partial(_keeper, spec, name),
            limits=spec.limits,
            describe=_describe(project, spec, name, source),
            skip=skip,
            awaits=AwaitedChecks(selectors=spec.after, subject="publishing", key=f"{SECTION.key}.after"),
            settings=partial(settings, spec, name, project, source),
        )


def _not_its_turn(spec: PublishSpec, options: RunOptions) -> str | None:
    if options.publish is not None:
        return None if options.publish else "--no-publish"
    if spec.when is PublishWhen.NEVER:
        return 'not asked for: [publish] when = "never" (--publish overrides)'
    if spec.when is PublishWhen.CI and not options.in_ci:
        return 'not in CI: [publish] when = "ci" (--publish overrides)'
    return None


def _describe(project: Project, spec: PublishSpec, image: str, source: Source) -> str:
    """`push registry.example.com/team/shop:1.4.0`."""
    if project.registry is None:
        return f"push {image}"
    place = repository(project.registry, image)
    if source.unknown is not None and named_after_commit(spec):
        return f"push {place}: refused, since git does not say from which commit this is"
    return f"push {place}:{', '.join(tag.name for tag in tags_of(spec, source))}"


def _code() -> Callable[..., Awaitable[object]]:
    from pipelines.steps.publish.run import step

    return step


def _keeper(spec: PublishSpec, name: str) -> ValueKeeper:
    from pipelines.steps.publish.keeper import PublishedImageKeeper

    return PublishedImageKeeper(spec, name)
