"""Services a command talks to, by name: made of the project's images or of foreign ones, healthy before the command starts.

An engine starts a bound service when the command really runs, and waits until its port is open, for as long as it takes. Two things are
added: a deadline for that, and a path that must answer over HTTP (asked from the container of the command, so that a cached outcome
starts nothing). Every step has instances of its own: a measurement never shares one with a test.
"""

from __future__ import annotations

import contextlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeVar

import anyio

from pipelines.errors import StepFailed
from pipelines.steps.common.dagger_errors import translate
from pipelines.steps.common.references import resolve
from pipelines.steps.common.wrapper import Health

if TYPE_CHECKING:
    from collections.abc import Awaitable, Iterable, Mapping

    import dagger

    from pipelines.model import BuiltImage
    from pipelines.steps.common.service_spec import ServiceSpec
    from pipelines.steps.common.step_inputs import StepInputs

T = TypeVar("T")
INSTANCE = "LOCKGATE_INSTANCE"
QUICK_S = 1.0
"""An answer within this time came from the cache, or from a service that is up: nothing to watch."""
_STOP_S = 10.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Bound:
    """A service under the name a command reaches it by."""

    alias: str
    spec: ServiceSpec
    service: dagger.Service = field(repr=False)

    @property
    def url(self) -> str:
        """Where the command reaches it, without a trailing slash."""
        return f"http://{self.alias}:{self.spec.port}"

    @property
    def health(self) -> Health | None:
        """What to wait for, when a path is configured."""
        if self.spec.health is None:
            return None
        return Health(alias=self.alias, url=f"{self.url}/{self.spec.health.lstrip('/')}", deadline_s=self.spec.deadline_s)


def services(step_inputs: StepInputs, specs: Mapping[str, ServiceSpec]) -> tuple[Bound, ...]:
    """The services of a step; nothing starts yet.

    Raises:
        Unavailable: an image that is neither the project's, nor locked, nor a reference.
    """
    return tuple(Bound(alias=alias, spec=spec, service=_service(step_inputs, alias, spec)) for alias, spec in specs.items())


def bind(container: dagger.Container, bound: Iterable[Bound]) -> dagger.Container:
    """The container with every service under its name."""
    for service in bound:
        container = container.with_service_binding(service.alias, service.service)
    return container


def stage(image: BuiltImage, target: str | None) -> dagger.Container:
    """The container of a stage of an image; without a target, of the one that ships.

    Raises:
        StepFailed: the image was built without that stage.
    """
    if target is None or target in image.targets:
        return image.container if target is None else image.targets[target]
    raise StepFailed(
        f"image {image.name} has no stage {target!r}", cause=f"built were: {', '.join(image.targets) or 'only the one that ships'}"
    )


async def within_deadlines(bound: Iterable[Bound], work: Awaitable[T], *, quick_s: float = QUICK_S) -> T:
    """Wait for the work; when it takes longer than an answer out of the cache, hold every service to its deadline.

    Raises:
        StepFailed: a service did not open its port in time; the work is cancelled.
    """
    done: list[T] = []
    try:
        async with anyio.create_task_group() as group:
            for service in bound:
                group.start_soon(_watch, service, quick_s)
            done.append(await work)
            group.cancel_scope.cancel()
    except BaseExceptionGroup as several:
        first = _first(several)
        raise first from first.__cause__  # it keeps its cause: by that an engine that is gone is known
    return done[0]


async def _watch(bound: Bound, quick_s: float) -> None:
    await anyio.sleep(quick_s)
    try:
        with anyio.fail_after(bound.spec.deadline_s):
            _ = await bound.service.start()
    except TimeoutError:
        raise StepFailed(
            f"service {bound.alias} did not open port {bound.spec.port} within {bound.spec.deadline_s:g} s",
            cause="it listens on another port or another address than 0.0.0.0, or it needs longer",
            next_step="check port, command and deadline of the service in the configuration",
        ) from None
    else:
        await anyio.sleep_forever()
    finally:
        with anyio.move_on_after(_STOP_S, shield=True), contextlib.suppress(Exception):
            _ = await bound.service.stop()


def _first(group: BaseExceptionGroup) -> BaseException:
    """The exception that tells most: one of ours, else one that can be told in our words, else any."""
    leaves = list(_leaves(group))
    return next(
        (leaf for leaf in leaves if isinstance(leaf, StepFailed)), next((leaf for leaf in leaves if translate(leaf) is not None), leaves[0])
    )


def _leaves(error: BaseException) -> Iterable[BaseException]:
    if not isinstance(error, BaseExceptionGroup):
        yield error
        return
    for member in error.exceptions:
        yield from _leaves(member)


def _service(step_inputs: StepInputs, alias: str, spec: ServiceSpec) -> dagger.Service:
    image = step_inputs.images.get(spec.image)
    if image is not None:
        container = stage(image, spec.target)
    else:
        container = step_inputs.client.container().from_(resolve(step_inputs.project, spec.image, wanted_by=f"service {alias}").reference)
    for name, value in {INSTANCE: step_inputs.context.id, **spec.env}.items():
        container = container.with_env_variable(name, value)
    return container.with_exposed_port(spec.port).as_service(args=list(spec.command) or None, use_entrypoint=True)
