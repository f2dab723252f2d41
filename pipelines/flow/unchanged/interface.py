"""What a run asks for before it works on a step: the result of a pass since which nothing has changed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from pipelines.steps.definition import StepContext, StepDef


@dataclass(frozen=True, slots=True)
class PastResult:
    """What a step gave in the run `run`, and would give again: `value` is what a call of its function would return."""

    value: object
    run: str


class PastResults(Protocol):
    """Where results of past runs come from."""

    async def find(self, step: StepDef, context: StepContext) -> PastResult | None:
        """The result of a step that is proved unchanged; None where it must work. Its artifacts are in the context's folder then."""
