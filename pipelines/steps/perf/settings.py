"""What of the configuration shapes a performance check."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from pipelines.steps.common.settings import IMAGE, fields, place, reference, short, step_settings
from pipelines.steps.image.settings import services_settings

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pipelines.model import Project, Source
    from pipelines.steps.common.settings import Setting
    from pipelines.steps.definition import StepSettings
    from pipelines.steps.perf.spec import PerfSpec

_JUDGING = ("on_inconclusive", "thresholds")


def settings(spec: PerfSpec, project: Project, source: Source) -> StepSettings:
    """What shapes the step of a performance check."""
    return step_settings(_settings(spec, project, source), _JUDGING)


def _settings(spec: PerfSpec, project: Project, source: Source) -> Iterator[Setting]:
    where = f"[perf.{spec.name}]"
    yield from fields(where, spec, but={"image", "service"})
    yield f"{where} folder of the script", short(place((Path(project.root) / spec.script).parent, project))
    yield f"{IMAGE}{spec.image}", reference(spec.image, project)
    yield from services_settings(f"{where} service", {spec.alias: spec.service}, project, source)
