"""What one run leaves for the next: the last status of every step, and the attempt token of its last pass.

A step that passed under a token keeps it, so that an unchanged next run finds the outcome in the engine's cache. When it fails in a
fresh run, the token of that run takes its place: what passed before may not hide the failure.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from pipelines.foundation.files import replace_text
from pipelines.foundation.regular_files import read_text
from pipelines.model import Status

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from pipelines.model import Result
    from pipelines.steps.definition import StepContext

SCHEMA = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class StepState:
    """How a step ended last: in which run, with which status, and the token of its last pass."""

    status: str
    run: str
    attempt: str | None = None


class StateFile:
    """The state file. One that is missing, broken or of another version is an empty one: it only saves work."""

    def __init__(self, path: Path, steps: Mapping[str, StepState]) -> None:
        self._path = path
        self._steps = dict(steps)

    @classmethod
    def read(cls, path: Path) -> StateFile:
        """Read the file."""
        try:
            document = json.loads(read_text(path))
            steps = document["steps"].items() if document["schema"] == SCHEMA else ()
            return cls(path, {step_id: _step(entry) for step_id, entry in steps})
        except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
            return cls(path, {})

    def attempt(self, step_id: str) -> str | None:
        """The token the step's last pass was made with."""
        step = self._steps.get(step_id)
        return step.attempt if step else None

    def note(self, results: Iterable[Result], contexts: Mapping[str, StepContext]) -> None:
        """Take over how the steps that worked have ended; `contexts` holds those."""
        for result in results:
            context = contexts.get(result.id)
            if context is not None:
                anew = context.attempt == context.run_id  # it was to work whatever had passed before, and so it is until it passes
                token = context.used_attempt if anew or result.status is Status.PASSED else self.attempt(result.id)
                self._steps[result.id] = StepState(status=result.status.value, run=context.run_id, attempt=token)

    def write(self) -> None:
        """Write the file, whole or not at all.

        Raises:
            OSError: it cannot be written.
        """
        steps = {step_id: asdict(step) for step_id, step in sorted(self._steps.items())}
        replace_text(self._path, json.dumps({"schema": SCHEMA, "steps": steps}, indent=2) + "\n")


def _step(entry: Any) -> StepState:
    status, run, attempt = entry["status"], entry["run"], entry.get("attempt")
    if not (isinstance(status, str) and isinstance(run, str) and isinstance(attempt, str | None)):
        raise TypeError
    return StepState(status=status, run=run, attempt=attempt)
