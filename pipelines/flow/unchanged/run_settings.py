"""The settings of the steps of one run: read once, before anything works, so that all steps are compared with the same configuration."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipelines.errors import LockgateError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pipelines.steps.definition import StepDef, StepSettings


class RunSettings:
    """The settings of `steps` as they are when this is made."""

    def __init__(self, steps: Iterable[StepDef]) -> None:
        self._steps = {step.id: step for step in steps}
        self._settings = {step_id: _read(step) for step_id, step in self._steps.items()}

    def of(self, step_id: str) -> StepSettings | None:
        """The settings of a step; None for one whose outcome is not remembered."""
        return self._settings.get(step_id)

    def still(self, step_id: str) -> StepSettings | None:
        """The settings of a step, when none of the files they were read from was written since.

        A Dockerfile may be edited while a run works: then it is not known with which content the step worked.
        """
        settings = self.of(step_id)
        return settings if settings is not None and settings == _read(self._steps[step_id]) else None


def _read(step: StepDef) -> StepSettings | None:
    try:
        return step.settings() if step.settings is not None else None
    except (LockgateError, LookupError, OSError, ValueError):
        return None  # the step itself says what is wrong
