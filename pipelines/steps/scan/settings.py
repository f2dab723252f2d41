"""What of the configuration shapes a scan."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipelines.steps.common.settings import IMAGE, fields, reference, short, step_settings
from pipelines.steps.image.settings import image_settings, label_settings
from pipelines.steps.image.spec import images_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pipelines.model import Project, Source
    from pipelines.steps.common.settings import Setting
    from pipelines.steps.definition import StepSettings
    from pipelines.steps.scan.spec import ScanSpec

_JUDGING = ("allow_fixture_database", "allow_unknown_age", "end_of_support", "fail_on", "max_age_days", "on_inconclusive", "waivers")


def settings(spec: ScanSpec, image: str | None, project: Project, source: Source) -> StepSettings:
    """What shapes the scan of an image, or of the sources when it is None."""
    return step_settings(_settings(spec, image, project, source), _JUDGING)


def _settings(spec: ScanSpec, name: str | None, project: Project, source: Source) -> Iterator[Setting]:
    yield from fields("[scan]", spec, but={"sources", "database", "image"})
    yield f"{IMAGE}{spec.image}", reference(spec.image, project)
    if spec.database is not None:
        yield f"{IMAGE}{spec.database}", reference(spec.database, project)
        locked = project.locked.get(spec.database)
        yield f"lock entry {spec.database}", short(None if locked is None else (locked.origin, locked.fixture, locked.artifact))
    if name is None:
        return
    image = images_of(project)[name]
    yield from image_settings(image, project, source)
    yield from label_settings(image, project, source)
