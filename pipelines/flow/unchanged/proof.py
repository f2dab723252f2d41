"""Steps that are proved unchanged give the result of their last pass: no engine is started for them.

A step is proved unchanged when everything that its last pass depended on is as it was: the same comparison that `plan --explain` makes,
and whatever that leaves open is asked (a tag in a registry) or counts as a change (a git repository).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import anyio.to_thread

from pipelines.engine.limits import variables
from pipelines.errors import LockgateError
from pipelines.flow.unchanged.comparison import Comparison, changed_settings
from pipelines.flow.unchanged.interface import PastResult
from pipelines.flow.unchanged.kept_result import KeptResult, give_files
from pipelines.flow.unchanged.pass_records import PassRecords
from pipelines.registry import find_manifest, read_reference
from pipelines.steps.definition import RestoreInputs

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    import dagger

    from pipelines.engine.work_inputs import OpenPastWork, PastWork
    from pipelines.flow.folder import ProjectHome
    from pipelines.flow.state_file import StateFile
    from pipelines.flow.unchanged.pass_records import PassRecord
    from pipelines.flow.unchanged.run_settings import RunSettings
    from pipelines.foundation.clock import Clock
    from pipelines.model import EngineSpec, Project, Source
    from pipelines.steps.definition import StepContext, StepDef, StepSettings, ValueKeeper


def deciding(past: PastWork, spec: EngineSpec) -> str:
    """What decides about results beside the inputs of the work: the engine and the limits of its containers."""
    limits = " ".join(f"{name}={value}" for name, value in sorted(variables(spec).items()))
    return f"{past.engine} {limits}"


@dataclass(frozen=True, slots=True, kw_only=True)
class UnchangedSteps:
    """`pipelines.flow.unchanged.interface.PastResults` out of the records of past runs; `kept_files` is the folder of their artifacts."""

    project: Project
    source: Source
    environ: Mapping[str, str]
    clock: Clock
    client: Callable[[], dagger.Client]
    settings: RunSettings
    records: PassRecords
    comparison: Comparison
    kept_files: Path
    _digests: dict[str, str] = field(default_factory=dict)

    async def find(self, step: StepDef, context: StepContext) -> PastResult | None:
        """See `PastResults`."""
        settings = self.settings.of(step.id)
        if step.keeper is None or settings is None or step.id not in self.records.steps:
            return None
        keeper = step.keeper()
        for record in self.records.steps[step.id]:
            try:
                value = await self._value(step, record, settings, keeper, context)
            except (LockgateError, LookupError, TypeError, ValueError, OSError):
                value = None  # whatever keeps a proof away: the step works
            if value is not None:
                return PastResult(value, record.run)
        return None

    async def _value(
        self, step: StepDef, record: PassRecord, settings: StepSettings, keeper: ValueKeeper, context: StepContext
    ) -> object | None:
        if record.kept is None or record.inputs.remote:
            return None
        if not keeper.judges_anew and any(changed_settings(record.judged, settings.judged)):
            return None
        if not await anyio.to_thread.run_sync(self._is_unchanged, step, record, settings):
            return None
        kept = KeptResult.from_json(record.kept)
        if not give_files(kept, self.kept_files, context):
            return None
        restore_inputs = RestoreInputs(
            project=self.project, source=self.source, context=context, environ=self.environ, now=self.clock.now(), client=self.client
        )
        value = await keeper.restore(kept.value, restore_inputs)
        if value is not None:
            context.log("".join(f"{line}\n" for line in (*kept.tail, f"nothing changed since run {record.run}: this is its result")))
        return value

    def _is_unchanged(self, step: StepDef, record: PassRecord, settings: StepSettings) -> bool:
        if any(self.comparison.changes(step.id, record, settings)):
            return False
        return all(pinned or self._stands(reference) for reference, pinned in record.inputs.images)

    def _stands(self, reference: str) -> bool:
        """Whether the tag in `name:tag@digest` still names the digest."""
        name, at, digest = reference.partition("@")
        if name not in self._digests:
            self._digests[name] = find_manifest(read_reference(name), self.environ).digest
        return bool(at) and self._digests[name] == digest


def unchanged_steps(
    *,
    project: Project,
    source: Source,
    environ: Mapping[str, str],
    clock: Clock,
    client: Callable[[], dagger.Client],
    settings: RunSettings,
    home: ProjectHome,
    state: StateFile,
    open_past: OpenPastWork,
) -> UnchangedSteps:
    """The unchanged steps of a project, by the records in its home. `client` gives a client at once, and starts the engine."""
    records = PassRecords.read(home.passes, project.root, environ, open_past)
    engine = deciding(records.past, project.engine)
    return UnchangedSteps(
        project=project,
        source=source,
        environ=environ,
        clock=clock,
        client=client,
        settings=settings,
        records=records,
        comparison=Comparison(root=project.root, past=records.past, state=state, engine=engine),
        kept_files=home.kept_files,
    )
