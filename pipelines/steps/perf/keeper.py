"""A measurement, in a later run where nothing changed: it says when it was made."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pipelines.model import Check
from pipelines.steps.common.check_json import check_from_json, check_to_json
from pipelines.steps.common.replay import passed
from pipelines.steps.perf.judge import dated

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pipelines.model import Project, Source
    from pipelines.steps.definition import RestoreInputs


class MeasurementKeeper:
    """`pipelines.steps.definition.ValueKeeper` for a measurement; under other thresholds it is looked at by the step."""

    judges_anew = False

    def keep(self, value: object, project: Project, source: Source) -> Mapping[str, Any] | None:  # noqa: ARG002 - for others it counts
        """See `ValueKeeper`."""
        return check_to_json(value) if isinstance(value, Check) and passed(value) else None

    async def restore(self, data: Mapping[str, Any], restore_inputs: RestoreInputs) -> Check | None:
        """See `ValueKeeper`."""
        check = check_from_json(data, restore_inputs.context.folder)
        return dated(check) if passed(check) else None
