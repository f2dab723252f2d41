"""What is no longer as it was when a step passed. Used to predict (`plan --explain`) and to prove (a run that takes results over)."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING

from pipelines.steps.common.settings import BASE, IMAGE

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from pipelines.engine.work_inputs import PastWork
    from pipelines.flow.state_file import StateFile
    from pipelines.flow.unchanged.pass_records import PassRecord
    from pipelines.steps.definition import StepSettings

MOST_FILES = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """Compares passes with what is there now. `root` is the project's folder, `engine` what decides about results now."""

    root: Path
    past: PastWork
    state: StateFile
    engine: str

    def changes(self, step_id: str, record: PassRecord, settings: StepSettings) -> Iterator[str]:
        """What stands between now and the pass, one sentence each: what is not as it was, else what keeps its result from being found.

        Nothing, when all that can be seen from here is as it was; see `doubts` for what cannot.
        """
        changed = False
        for change in chain(changed_settings(record.work, settings.work), self._files(record)):
            changed = True
            yield change
        if changed:
            return
        if record.failed_since or self.state.attempt(step_id) != record.attempt:
            yield "it has failed since it last passed, and only results that passed are reused"
        elif record.inputs.store != self.past.store:
            yield f"the engine uses another store: {self.past.store}"
        elif record.engine != self.engine:
            yield "the engine, its limits or its user changed"
        elif not self.past.has_results(record.inputs):
            yield "its result is no longer in the engine's store, or was made again since"

    def _files(self, record: PassRecord) -> Iterator[str]:
        found: dict[str, str] = {}
        for path, how in self.past.differences(record.inputs):
            kind = "host folder" if how.startswith("cannot be ") else "host file"
            found[f"{kind} {self._shown(path)}"] = how
        listed = sorted(found)
        yield from (f"{name} {found[name]}" for name in listed[:MOST_FILES])
        if len(listed) > MOST_FILES:
            yield f"{len(listed) - MOST_FILES} more host files changed"

    def _shown(self, path: str) -> str:
        root = self.root.resolve()
        return str(Path(path).relative_to(root)) if Path(path).is_relative_to(root) else path


def doubts(record: PassRecord, settings: StepSettings) -> Iterator[str]:
    """What may have changed without a trace here, or is only judged by: one sentence each."""
    for change in changed_settings(record.judged, settings.judged):
        yield f"{change}: the recorded result is judged again, and the step runs again if it does not pass"
    for reference, pinned in record.inputs.images:
        if not pinned:
            name, _, digest = reference.partition("@")
            yield f"cached if {name} still is {digest[:19]}"
    yield from (f"cached if {asked}" for asked in settings.asked)
    yield from (f"cached if {source} has not changed" for source in record.inputs.remote)


def changed_settings(old: Mapping[str, str], new: Mapping[str, str]) -> Iterator[str]:
    """What differs between the settings of then and now, one sentence each."""
    for name in dict.fromkeys((*old, *new)):
        before, after = old.get(name), new.get(name)
        if before == after:
            continue
        if name.startswith(BASE) and before and after:
            yield f"base digest moved: {name.removeprefix(BASE)} {_digest(before)} → {_digest(after)}"
        elif name.startswith(IMAGE) and before and after:
            yield f"{name} moved: {_digest(before)} → {_digest(after)}"
        else:
            yield f"{name} {'is new' if before in {None, 'none'} else 'is gone' if after in {None, 'none'} else 'changed'}"


def _digest(reference: str) -> str:
    name, _, digest = reference.partition("@")
    return digest[:19] if digest else name
