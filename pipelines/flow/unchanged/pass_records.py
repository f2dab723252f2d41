"""What each step's last passes depended on, kept in `.lockgate/unchanged.json`: to tell what has changed since, and what has not.

Written after a run on the embedded engine, out of what the engine wrote down (`pipelines.engine.work_inputs`) and the configuration.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipelines.engine.engine_lines import requester_id
from pipelines.engine.work_inputs import WorkInputs
from pipelines.foundation.files import replace_text
from pipelines.foundation.regular_files import read_text
from pipelines.model import Status

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from pipelines.engine.work_inputs import OpenPastWork, PastWork
    from pipelines.flow.unchanged.kept_result import KeptResult
    from pipelines.model import Result
    from pipelines.steps.definition import StepSettings

SCHEMA = 4
MOST_PASSES = 4
"""Kept of each step: whoever goes back to what passed before finds it done."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PassRecord:
    """One pass of a step, and what it depended on.

    `run` is the id of the run in which it passed, `attempt` the attempt token of the pass. `engine` is what else decided about the result
    (`PastWork.engine` and the engine's limits). `work` and `judged` are the step's settings. `failed_since`: the same inputs failed later,
    and that is what the store has now. `kept` is what the step gave, where that can be given again without work.
    """

    inputs: WorkInputs
    run: str = ""
    engine: str = ""
    attempt: str | None = None
    work: Mapping[str, str] = field(default_factory=dict)
    judged: Mapping[str, str] = field(default_factory=dict)
    failed_since: bool = False
    kept: Mapping[str, Any] | None = None

    def to_json(self) -> dict[str, Any]:
        """As plain JSON values."""
        return {
            "inputs": self.inputs.to_json(),
            "run": self.run,
            "engine": self.engine,
            "attempt": self.attempt,
            "work": dict(self.work),
            "judged": dict(self.judged),
            "failed_since": self.failed_since,
            "kept": self.kept,
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> PassRecord:
        """The inverse.

        Raises:
            LookupError, TypeError, ValueError: it is something else.
        """
        return cls(**{**data, "inputs": WorkInputs.from_json(data["inputs"]), "work": dict(data["work"]), "judged": dict(data["judged"])})


@dataclass(frozen=True, slots=True, kw_only=True)
class FinishedRun:
    """A run that is over, as far as records of it are kept. `settings` gives those of a step, None where they are not known for sure;
    `attempts` are the attempt tokens of the steps that worked; `kept` says what a passed step gave, where that can be given again.
    """

    id: str
    results: Iterable[Result]
    settings: Callable[[str], StepSettings | None]
    engine: str
    attempts: Mapping[str, str | None] = field(default_factory=dict)
    kept: Callable[[Result], KeptResult | None] = lambda _result: None


def _head(body: str) -> dict[str, Any]:
    """The first line of the file: a body that is not as it was written proves nothing."""
    return {"schema": SCHEMA, "sha256": hashlib.sha256(body.encode(errors="surrogateescape")).hexdigest()}


class PassRecords:
    """The last passes of every step, newest first, and the past work they speak of."""

    def __init__(self, past: PastWork, steps: Mapping[str, tuple[PassRecord, ...]] | None = None) -> None:
        self.past = past
        self.steps = dict(steps or {})

    @classmethod
    def read(cls, path: Path, root: Path, environ: Mapping[str, str], open_past: OpenPastWork) -> PassRecords:
        """Read the file of the project at `root`. One that is missing, not as it was written, or of another version is an empty one. It may
        have come from elsewhere with the project: folders in it are meant where they are now.
        """
        try:
            head, _, body = read_text(path, errors="surrogateescape").partition("\n")
            if json.loads(head) != _head(body):
                return cls(open_past(environ))
            document = json.loads(body)
            past = open_past(environ, document["folders"], (Path(document["root"]), root.resolve()))
            steps = {step_id: tuple(map(PassRecord.from_json, records)) for step_id, records in document["steps"].items()}
            known = set(document["folders"])
            if any(part.folder not in known for records in steps.values() for record in records for part in record.inputs.files):
                return cls(open_past(environ))
            return cls(past, steps)
        except (OSError, ValueError, LookupError, TypeError, AttributeError, RecursionError):
            return cls(open_past(environ))

    def write(self, path: Path, root: Path) -> None:
        """Write the file of the project at `root`, whole or not at all; folders no record uses any more are left out.

        Raises:
            OSError: it cannot be written.
        """
        document = {
            "root": str(root.resolve()),
            "folders": self.past.folders_to_json(record.inputs for records in self.steps.values() for record in records),
            "steps": {step_id: [record.to_json() for record in records] for step_id, records in sorted(self.steps.items())},
        }
        body = json.dumps(document, separators=(",", ":")) + "\n"
        replace_text(path, f"{json.dumps(_head(body))}\n{body}", errors="surrogateescape")

    def kept(self) -> Iterator[Mapping[str, Any] | None]:
        """What all passes gave."""
        return (record.kept for records in self.steps.values() for record in records)

    def note(self, work_inputs: Path, run: FinishedRun) -> None:
        """Take over what the engine wrote down about a run."""
        noted = self.past.take_over(work_inputs)
        for result in run.results:
            inputs, settings = noted.get(requester_id(result.id)), run.settings(result.id)
            if result.status in {Status.FAILED, Status.ERROR}:
                self._failed(result, settings, inputs)
            elif result.status is Status.PASSED and inputs is not None and settings is not None:
                kept = run.kept(result)
                record = PassRecord(
                    inputs=inputs,
                    run=run.id,
                    engine=run.engine,
                    attempt=run.attempts.get(result.id),
                    work=settings.work,
                    judged=settings.judged,
                    kept=kept.to_json() if kept is not None else None,
                )
                others = (one for one in self.steps.get(result.id, ()) if not self._alike(one, record))
                self.steps[result.id] = (record, *others)[:MOST_PASSES]

    def _failed(self, result: Result, settings: StepSettings | None, inputs: WorkInputs | None) -> None:
        """No pass is taken over that had the inputs of a failure, as far as these are known: work that was broken off, by its time limit
        or by an error, has used a part of them.
        """
        if inputs is None and result.status is not Status.FAILED:
            return
        records = self.steps.get(result.id, ())
        marked = (replace(one, failed_since=True) if self._may_be_of(one, settings, inputs) else one for one in records)
        self.steps[result.id] = tuple(marked)

    def _may_be_of(self, one: PassRecord, settings: StepSettings | None, inputs: WorkInputs | None) -> bool:
        if settings is not None and settings.work != one.work:
            return False
        return inputs is None or (set(inputs.images) <= set(one.inputs.images) and self.past.has_files(one.inputs, inputs))

    def _alike(self, one: PassRecord, other: PassRecord) -> bool:
        """Whether all that counts of what two passes depended on is the same."""
        same = (one.work, sorted(one.inputs.images)) == (other.work, sorted(other.inputs.images))
        return same and self.past.has_files(one.inputs, other.inputs) and self.past.has_files(other.inputs, one.inputs)
