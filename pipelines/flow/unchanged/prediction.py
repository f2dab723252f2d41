"""Which steps the embedded engine would find done, and why the others would run: `plan --explain`.

A hit is said only where everything it depends on is known to be as it was. What may have changed unseen (a tag in a registry) is said.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING

from pipelines.errors import Unavailable
from pipelines.flow.folder import ProjectHome
from pipelines.flow.state_file import StateFile
from pipelines.flow.unchanged.comparison import Comparison, doubts
from pipelines.flow.unchanged.pass_records import PassRecords
from pipelines.flow.unchanged.proof import deciding
from pipelines.model import EngineKind

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pipelines.flow.dependencies import RunDependencies
    from pipelines.flow.plan import PlannedStep
    from pipelines.flow.prepare import PreparedRun
    from pipelines.flow.request import RunRequest
    from pipelines.model import Project
    from pipelines.steps.definition import StepDef


class Expected(StrEnum):
    """What would happen to a step: its outcome is there, or it runs, or the answer depends on something that only a run asks."""

    CACHED = "cached"
    RUNS = "runs"
    UNSURE = "unsure"


@dataclass(frozen=True, slots=True, kw_only=True)
class Prediction:
    """What would happen to a step, and why. `because` are steps it needs that run for the same reasons."""

    id: str
    verdict: Expected
    reasons: tuple[str, ...] = ()
    because: tuple[str, ...] = ()


def predict(project: Project, request: RunRequest, prepared: PreparedRun, dependencies: RunDependencies) -> tuple[Prediction, ...]:
    """A prediction for every step that would run, in the plan's order."""
    steps = prepared.plan.working
    try:
        choice = dependencies.choose(project.engine, request.environ)
    except Unavailable as error:
        return tuple(Prediction(id=step.id, verdict=Expected.UNSURE, reasons=(str(error.message),)) for step in steps)
    if choice.kind != EngineKind.EMBEDDED:
        reason = f"a Dagger engine keeps its own cache ({choice.reason})"
        return tuple(Prediction(id=step.id, verdict=Expected.UNSURE, reasons=(reason,)) for step in steps)
    home = ProjectHome.of(Path(project.root))
    records = PassRecords.read(home.passes, Path(project.root), request.environ, dependencies.past_work)
    comparison = Comparison(
        root=Path(project.root), past=records.past, state=StateFile.read(home.state), engine=deciding(records.past, project.engine)
    )
    predictor = _Predictor(records, comparison)
    found: dict[str, Prediction] = {}
    for step in steps:
        found[step.id] = predictor.predict(step, prepared.graph.nodes[step.id].definition, found)
    return tuple(found.values())


class _Predictor:
    def __init__(self, records: PassRecords, comparison: Comparison) -> None:
        self._records = records
        self._comparison = comparison

    def predict(self, step: PlannedStep, definition: StepDef, before: Mapping[str, Prediction]) -> Prediction:
        """What would happen to a step, given the predictions for those it needs."""
        if definition.settings is None:
            return Prediction(id=step.id, verdict=Expected.RUNS, reasons=(definition.runs_because,))
        settings = definition.settings()
        records = self._records.steps.get(step.id, ())
        if not records:
            return Prediction(id=step.id, verdict=Expected.RUNS, reasons=("it has not passed here yet",))
        hit = next((record for record in records if not any(self._comparison.changes(step.id, record, settings))), None)
        if hit is not None:
            reasons = tuple(dict.fromkeys(doubts(hit, settings)))
            if reasons:
                return Prediction(id=step.id, verdict=Expected.UNSURE, reasons=reasons)
            taken_over = (f"unchanged since {hit.run}",) if hit.kept is not None else ()
            return Prediction(id=step.id, verdict=Expected.CACHED, reasons=taken_over)
        reasons = tuple(dict.fromkeys(self._comparison.changes(step.id, records[0], settings)))
        needed = [before[need] for need in step.needs if need in before and before[need].verdict is Expected.RUNS]
        because = tuple(need.id for need in needed if set(reasons) <= set(need.reasons))
        return Prediction(id=step.id, verdict=Expected.RUNS, reasons=reasons, because=because)
