"""Which steps the embedded engine would find done, and why the others would run: without an engine, by comparing with the last pass.

A hit is said only where everything it depends on is known to be as it was. What may have changed unseen (a tag in a registry) is said.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from enum import StrEnum
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING

from pipelines.engine.embedded.paths import store_dir
from pipelines.engine.embedded.store.host.listing import files_in_parts, without_common
from pipelines.engine.embedded.store.host.reading import current_files
from pipelines.engine.embedded.store.objects.read_only import ReadOnlyIndex
from pipelines.errors import Unavailable
from pipelines.flow.book import Book
from pipelines.flow.folder import ProjectHome
from pipelines.flow.state_file import StateFile
from pipelines.model import EngineKind
from pipelines.steps.common.settings import BASE, IMAGE

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from pipelines.engine.embedded.store.host.listing import Files, Listing
    from pipelines.flow.book import Record, Use
    from pipelines.flow.dependencies import RunDependencies
    from pipelines.flow.plan import PlannedStep
    from pipelines.flow.prepare import PreparedRun
    from pipelines.flow.request import RunRequest
    from pipelines.model import Project
    from pipelines.steps.definition import StepDef, StepSettings

MOST_FILES = 3


class Verdict(StrEnum):
    """What would happen to a step: its outcome is there, or it runs, or the answer depends on something outside that is not known here."""

    CACHED = "cached"
    RUNS = "runs"
    UNSURE = "unsure"


@dataclass(frozen=True, slots=True, kw_only=True)
class Prediction:
    """What would happen to a step, and why. `because` are steps it needs that run for the same reasons."""

    id: str
    verdict: Verdict
    reasons: tuple[str, ...] = ()
    because: tuple[str, ...] = ()


def explain(project: Project, request: RunRequest, prepared: PreparedRun, dependencies: RunDependencies) -> tuple[Prediction, ...]:
    """A prediction for every step that would run, in the plan's order."""
    home = ProjectHome.of(Path(project.root))
    steps = prepared.plan.working
    try:
        choice = dependencies.choose(project.engine, request.environ)
    except Unavailable as error:
        return tuple(Prediction(id=step.id, verdict=Verdict.UNSURE, reasons=(str(error.message),)) for step in steps)
    if choice.kind != EngineKind.EMBEDDED:
        reason = f"a Dagger engine keeps its own cache ({choice.reason})"
        return tuple(Prediction(id=step.id, verdict=Verdict.UNSURE, reasons=(reason,)) for step in steps)
    store = str(store_dir(request.environ, rootless=os.geteuid() != 0))
    seer = Seer(project, Book.read(home.explain, Path(project.root)), StateFile.read(home.state), store)
    found: dict[str, Prediction] = {}
    for step in steps:
        found[step.id] = seer.predict(step, prepared.graph.nodes[step.id].definition, found)
    return tuple(found.values())


class Seer:
    """Compares what is there with what the book says; looks at every folder once."""

    def __init__(self, project: Project, book: Book, state: StateFile, store: str) -> None:
        self._project = project
        self._book = book
        self._state = state
        self._store = store
        self._peek = ReadOnlyIndex(Path(store))
        self._apart: dict[str, tuple[Files, Files]] = {}
        self._parts: dict[Use, tuple[tuple[str, str], ...]] = {}
        self._now: dict[tuple[str, tuple[str, ...], tuple[str, ...], bool], Files | None] = {}

    def predict(self, step: PlannedStep, definition: StepDef, before: Mapping[str, Prediction]) -> Prediction:
        """What would happen to a step, given the predictions for those it needs."""
        if definition.settings is None:
            return Prediction(id=step.id, verdict=Verdict.RUNS, reasons=(definition.runs_because,))
        settings = definition.settings()
        records = self._book.pages.get(step.id, ())
        if not records:
            return Prediction(id=step.id, verdict=Verdict.RUNS, reasons=("it has not passed here yet",))
        hit = next((record for record in records if not any(self._reasons(step, record, settings))), None)
        if hit is not None:
            doubts = tuple(dict.fromkeys(_doubts(hit, settings)))
            return Prediction(id=step.id, verdict=Verdict.UNSURE if doubts else Verdict.CACHED, reasons=doubts)
        reasons = tuple(dict.fromkeys(self._reasons(step, records[0], settings)))
        needed = [before[need] for need in step.needs if need in before and before[need].verdict is Verdict.RUNS]
        because = tuple(need.id for need in needed if set(reasons) <= set(need.reasons))
        return Prediction(id=step.id, verdict=Verdict.RUNS, reasons=reasons, because=because)

    def _reasons(self, step: PlannedStep, record: Record, settings: StepSettings) -> Iterator[str]:
        """What stands between now and a pass: what is not as it was, else what keeps its outcome from being found."""
        changed = False
        for reason in chain(_changes(record.work, settings.work), self._files(record.uses)):
            changed = True
            yield reason
        if changed:
            return
        if record.failed_since or self._state.attempt(step.id) != record.attempt:
            yield "it has failed since it last passed, and only results that passed are reused"
        elif record.store != self._store:
            yield f"the engine uses another store: {self._store}"
        elif not self._peek.has(record.results):
            yield "its result is no longer in the engine's store"

    def _files(self, uses: Iterable[Use]) -> Iterator[str]:
        found: dict[str, str] = {}
        for use in uses:
            listing = self._book.folders[use.folder]
            where = (listing.base, listing.include, listing.exclude, listing.gitignore)
            if where not in self._now:
                self._now[where] = current_files(listing, self._peek)
            files = self._now[where]
            if files is None:
                yield f"host folder {self._shown(listing.base)} cannot be read"
                continue
            if files != listing.files:
                found |= {self._shown(f"{listing.base}/{rel}"): how for rel, how in self._differences(use, listing, files)}
        listed = sorted(found)
        yield from (f"host file {path} {found[path]}" for path in listed[:MOST_FILES])
        if len(listed) > MOST_FILES:
            yield f"{len(listed) - MOST_FILES} more host files changed"

    def _differences(self, use: Use, listing: Listing, files: Files) -> tuple[tuple[str, str], ...]:
        """What is not as it was of a part; asked by every step that uses it, worked out once."""
        if use not in self._parts:
            if use.folder not in self._apart:
                self._apart[use.folder] = without_common(listing.files, files)
            old, new = self._apart[use.folder]
            self._parts[use] = tuple(_difference(files_in_parts(old, use.narrows), files_in_parts(new, use.narrows)))
        return self._parts[use]

    def _shown(self, path: str) -> str:
        root = Path(self._project.root).resolve()
        return str(Path(path).relative_to(root)) if Path(path).is_relative_to(root) else path


def _changes(old: Mapping[str, str], new: Mapping[str, str]) -> Iterator[str]:
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


def _difference(old: Files, new: Files) -> Iterator[tuple[str, str]]:
    """Paths that differ; a folder that is there for what is in it is not worth a word of its own."""
    for rel in old.keys() | new.keys():
        if old.get(rel) == new.get(rel):
            continue
        inside = any(other.startswith(f"{rel}/") for other in (*old, *new))
        if not inside or (rel in old and rel in new):
            yield rel, "changed" if rel in old and rel in new else "is new" if rel in new else "is gone"


def _doubts(record: Record, settings: StepSettings) -> Iterator[str]:
    for change in _changes(record.judged, settings.judged):
        yield f"{change}: the recorded result is judged again, and the step runs again if it does not pass"
    for reference, pinned in record.images:
        if not pinned:
            name, _, digest = reference.partition("@")
            yield f"cached if {name} still is {digest[:19]}"
    yield from (f"cached if {source} has not changed" for source in record.remote)
