"""The built-in steps of a project, as definitions; imports neither dagger nor the code of a step."""

from __future__ import annotations

import importlib
import re
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from pipelines.errors import ConfigError
from pipelines.model import PublishSpec, PublishWhen
from pipelines.steps import describe
from pipelines.steps.definition import Parameter, StepDef

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping

    from pipelines.model import BuiltImage, Project, ServiceSpec, Source, StepLimits

GIVEN = (
    Parameter(name="client", annotation="dagger.Client"),
    Parameter(name="context", annotation="StepContext"),
    Parameter(name="project", annotation="Project"),
    Parameter(name="source", annotation="Source"),
)
SOURCES = "sources"


@dataclass(frozen=True, slots=True, kw_only=True)
class RunOptions:
    """What a run says about steps: `publish` is --publish (True) or --no-publish (False); `in_ci` whether a CI provider was found."""

    publish: bool | None = None
    in_ci: bool = False


def builtin(project: Project, *, source: Source, options: RunOptions | None = None) -> tuple[StepDef, ...]:
    """Every step the configuration asks for, in the order people read them.

    Raises:
        ConfigError: publish is asked for and no registry is configured.
    """
    checks = (*_tests(project), *_scans(project), *_perfs(project))
    return (*_images(project), *checks, *_publishes(project, source, options or RunOptions(), tuple(step.id for step in checks)))


def parameter_name(step_id: str) -> str:
    """The name a parameter must have to take a step's value: the id with `_` for every other character."""
    return re.sub(r"\W", "_", step_id, flags=re.ASCII)


def _images(project: Project) -> Iterator[StepDef]:
    for spec in project.images.values():
        what = (spec, targets_used(project, spec.name))
        yield _define("image", spec.name, what=what, provides="BuiltImage", limits=spec.limits, line=describe.image(spec))


def _tests(project: Project) -> Iterator[StepDef]:
    for spec in project.tests.values():
        images = tuple(dict.fromkeys((spec.image.name, *_images_of_services(project, spec.services.values()))))
        yield _define("test", spec.name, what=(spec,), images=images, limits=spec.limits, line=describe.test(spec))


def _scans(project: Project) -> Iterator[StepDef]:
    spec = project.scan
    if spec is None:
        return
    for name in project.images:
        yield _define("scan", name, what=(spec, name), images=(name,), limits=spec.limits, line=describe.scan(spec, name))
    if spec.sources:
        yield _define("scan", SOURCES, what=(spec, None), limits=spec.limits, line=describe.scan(spec, None))


def _perfs(project: Project) -> Iterator[StepDef]:
    for spec in project.perf.values():
        images = _images_of_services(project, [spec.service])
        yield _define("perf", spec.name, what=(spec,), images=images, limits=spec.limits, line=describe.perf(spec))


def _publishes(project: Project, source: Source, options: RunOptions, checks: tuple[str, ...]) -> Iterator[StepDef]:
    spec = project.publish if project.publish is not None else PublishSpec(when=PublishWhen.NEVER)
    skip = _not_its_turn(spec, options)
    if project.publish is None and not options.publish:
        return
    if skip is None and project.registry is None:
        raise ConfigError(
            "publish has no registry to push to",
            problems=("registry.url: needed by [publish]",),
            next_step='add [registry] url = "host/path"',
        )
    for name in project.images:
        line = describe.publish(project, spec, name, source)
        yield _define(
            "publish",
            name,
            what=(spec, name),
            images=(name,),
            provides="PublishedImage",
            limits=spec.limits,
            line=line,
            skip=skip,
            after=checks,
        )


def _not_its_turn(spec: PublishSpec, options: RunOptions) -> str | None:
    if options.publish is not None:
        return None if options.publish else "--no-publish"
    if spec.when is PublishWhen.NEVER:
        return 'not asked for: [publish] when = "never" (--publish overrides)'
    if spec.when is PublishWhen.CI and not options.in_ci:
        return 'not in CI: [publish] when = "ci" (--publish overrides)'
    return None


def targets_used(project: Project, image: str) -> tuple[str, ...]:
    """The stages of an image, beside the one that ships, that tests and services run in."""
    services = [service for test in project.tests.values() for service in test.services.values()]
    services += [perf.service for perf in project.perf.values()]
    used = [(test.image.name, test.image.target) for test in project.tests.values()]
    used += [(service.image, service.target) for service in services]
    ships = project.images[image].target
    return tuple(dict.fromkeys(target for name, target in used if name == image and target is not None and target != ships))


def _images_of_services(project: Project, services: Iterable[ServiceSpec]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(service.image for service in services if service.image in project.images))


def _define(
    kind: str,
    name: str,
    *,
    what: tuple[object, ...],
    limits: StepLimits,
    line: str,
    images: tuple[str, ...] = (),
    provides: str = "Check",
    skip: str | None = None,
    after: tuple[str, ...] = (),
) -> StepDef:
    wanted = {image: parameter_name(f"image.{image}") for image in images}
    return StepDef(
        id=f"{kind}.{name}",
        kind=kind,
        name=name,
        parameters=(*GIVEN, *(Parameter(name=parameter, annotation="BuiltImage") for parameter in wanted.values())),
        provides=provides,
        load=partial(_load, kind, what, wanted),
        limits=limits,
        skip=skip,
        describe=line,
        after=after,
    )


def _load(kind: str, what: tuple[object, ...], wanted: Mapping[str, str]) -> Callable[..., Awaitable[object]]:
    """Import `pipelines.steps.<kind>.run` and bind its `step` to the configuration and to the parameters it was promised."""
    from pipelines.steps.common.step_inputs import Given

    code: Callable[..., Awaitable[object]] = importlib.import_module(f"pipelines.steps.{kind}.run").step

    async def run(*, client: Any, context: Any, project: Project, source: Source, **values: BuiltImage) -> object:
        images = {name: values[parameter] for name, parameter in wanted.items()}
        return await code(*what, Given(client=client, context=context, project=project, source=source, images=images))

    return run
