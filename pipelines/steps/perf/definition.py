"""The steps that measure, one for every performance check."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from pipelines.steps.common.define import StepCode, define
from pipelines.steps.image.uses import image_steps
from pipelines.steps.perf.section import SECTION
from pipelines.steps.perf.settings import settings
from pipelines.steps.perf.spec import NAME, performance_checks_of

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator

    from pipelines.model import Project, Source
    from pipelines.steps.definition import StepDef, ValueKeeper
    from pipelines.steps.interface import RunOptions
    from pipelines.steps.perf.spec import PerfSpec


def definitions(project: Project, source: Source, _options: RunOptions) -> Iterator[StepDef]:
    """A step for every performance check."""
    for spec in performance_checks_of(project).values():
        yield define(
            NAME,
            spec.name,
            section=SECTION.key,
            code=StepCode(load=_code, arguments=(spec,)),
            images=image_steps(project, [spec.service.image]),
            keeper=_keeper,
            limits=spec.limits,
            describe=_describe(spec),
            settings=partial(settings, spec, project, source),
        )


def _describe(spec: PerfSpec) -> str:
    """`k6 perf/checkout.js against shop:8000, p95 <= 200 ms`."""
    limits = {
        "p95 <= {} ms": spec.thresholds.p95_ms,
        "errors <= {}": spec.thresholds.error_rate,
        ">= {} requests/s": spec.thresholds.min_rps,
    }
    shown = [text.format(f"{value:g}") for text, value in limits.items() if value is not None]
    return ", ".join([f"k6 {spec.script} against {spec.service.image}:{spec.service.port}", *shown])


def _code() -> Callable[..., Awaitable[object]]:
    from pipelines.steps.perf.run import step

    return step


def _keeper() -> ValueKeeper:
    from pipelines.steps.perf.keeper import MeasurementKeeper

    return MeasurementKeeper()
