"""Definitions of built-in steps: what they all take, and how their code gets it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from pipelines.steps.definition import Parameter, StepDef, parameter_name

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    from pipelines.model import BuiltImage, Project, Source, StepLimits
    from pipelines.steps.definition import AwaitedChecks, StepSettings, ValueKeeper

ALWAYS_TAKEN = (
    Parameter(name="client", annotation="dagger.Client"),
    Parameter(name="context", annotation="StepContext"),
    Parameter(name="project", annotation="Project"),
    Parameter(name="source", annotation="Source"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class StepCode:
    """How a step's function is had and called: `load` imports it; it takes `arguments`, then what the step is given when it runs."""

    load: Callable[[], Callable[..., Awaitable[object]]]
    arguments: tuple[object, ...]


def define(
    kind: str,
    name: str,
    *,
    section: str,
    code: StepCode,
    limits: StepLimits,
    describe: str,
    images: Mapping[str, str] | None = None,
    provides: str = "Check",
    skip: str | None = None,
    awaits: AwaitedChecks | None = None,
    settings: Callable[[], StepSettings] | None = None,
    keeper: Callable[[], ValueKeeper] | None = None,
    runs_because: str = "",
) -> StepDef:
    """The definition of a built-in step.

    `images` are those of the project that it works with: the ids of the steps that build them, by the names of the images.
    """
    wanted = {image: parameter_name(step_id) for image, step_id in (images or {}).items()}
    return StepDef(
        id=f"{kind}.{name}",
        kind=kind,
        name=name,
        parameters=(*ALWAYS_TAKEN, *(Parameter(name=parameter, annotation="BuiltImage") for parameter in wanted.values())),
        provides=provides,
        load=partial(_bound, code, wanted),
        limits=limits,
        skip=skip,
        describe=describe,
        section=section,
        awaits=awaits,
        settings=settings,
        keeper=keeper,
        runs_because=runs_because,
    )


def _bound(code: StepCode, wanted: Mapping[str, str]) -> Callable[..., Awaitable[object]]:
    """The step's function, bound to the configuration and to the parameters it was promised."""
    from pipelines.steps.common.step_inputs import StepInputs

    function = code.load()

    async def run(*, client: Any, context: Any, project: Project, source: Source, **values: BuiltImage) -> object:
        images = {name: values[parameter] for name, parameter in wanted.items()}
        return await function(*code.arguments, StepInputs(client=client, context=context, project=project, source=source, images=images))

    return run
