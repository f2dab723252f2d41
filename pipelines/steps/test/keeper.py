"""What a test found, in a later run where nothing changed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pipelines.model import Check
from pipelines.steps.common.check_json import check_from_json, check_to_json
from pipelines.steps.common.replay import passed

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pipelines.model import Project, Source
    from pipelines.steps.definition import RestoreInputs
    from pipelines.steps.test.spec import TestSpec


class CheckOfTestKeeper:
    """`pipelines.steps.definition.ValueKeeper` for a test. One with secrets works in every run."""

    judges_anew = False

    def __init__(self, spec: TestSpec) -> None:
        self._spec = spec

    def keep(self, value: object, project: Project, source: Source) -> Mapping[str, Any] | None:  # noqa: ARG002 - for others it counts
        """See `ValueKeeper`."""
        return check_to_json(value) if isinstance(value, Check) and passed(value) and not self._spec.secrets else None

    async def restore(self, data: Mapping[str, Any], restore_inputs: RestoreInputs) -> Check | None:
        """See `ValueKeeper`."""
        check = check_from_json(data, restore_inputs.context.folder)
        return check if passed(check) else None
