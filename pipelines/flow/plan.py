"""What a run would do: the graph as values, for `plan`, for the live board and for reports."""

from __future__ import annotations

from dataclasses import dataclass

NOT_SELECTED = "not selected"


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedStep:
    """A step of a plan. `needs` are ids; `skip` is the reason why it will not run (not selected, or not its turn), else None."""

    id: str
    kind: str
    name: str
    needs: tuple[str, ...] = ()
    skip: str | None = None
    describe: str = ""
    timeout_s: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """Steps in the order they would start in, and what else is known before a run. `notes` are hints for people."""

    project: str
    steps: tuple[PlannedStep, ...]
    notes: tuple[str, ...] = ()

    @property
    def working(self) -> tuple[PlannedStep, ...]:
        """The steps that would run."""
        return tuple(step for step in self.steps if step.skip is None)
