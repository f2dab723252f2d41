"""What each step's last passes depended on, kept for `plan --explain` in `.lockgate/explain.json`.

Written after a run on the embedded engine, out of the engine's ledger (`pipelines.engine.embedded.ops.ledger`) and the configuration.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipelines.engine.embedded.store.host.listing import Listing, TreePart, files_in_parts
from pipelines.engine.engine_lines import requester_id
from pipelines.foundation.files import replace_text
from pipelines.foundation.regular_files import read_text
from pipelines.model import Status

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from pipelines.model import Result
    from pipelines.steps.definition import StepDef

SCHEMA = 1
MOST_PASSES = 4
"""Kept of each step: whoever goes back to what passed before finds it done."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Use:
    """A part of a host folder that counts; `folder` names the listing in the book."""

    folder: str
    narrows: tuple[TreePart, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """What one pass of a step depended on.

    `images` are references with digest, and whether they were asked for by digest; `remote` sources that may change unseen; `results` the
    digests of operations whose results the store at `store` must still have. `attempt` is the attempt token of the pass. `failed_since`:
    the same inputs failed later, and that is what the store has now.
    """

    store: str
    attempt: str | None = None
    work: dict[str, str] = field(default_factory=dict)
    judged: dict[str, str] = field(default_factory=dict)
    uses: tuple[Use, ...] = ()
    images: tuple[tuple[str, bool], ...] = ()
    remote: tuple[str, ...] = ()
    results: tuple[str, ...] = ()
    failed_since: bool = False


class Book:
    """The file: the last passes of every step, newest first. One that is missing, broken or of another version is an empty one."""

    def __init__(self, folders: Mapping[str, Listing] | None = None, pages: Mapping[str, tuple[Record, ...]] | None = None) -> None:
        self.folders = dict(folders or {})
        self.pages = dict(pages or {})

    @classmethod
    def read(cls, path: Path, root: Path) -> Book:
        """Read the file of the project at `root`. It may have come from elsewhere with the project: folders in it are meant where they
        are now.
        """
        try:
            document = json.loads(read_text(path, errors="surrogateescape"))
            if document["schema"] != SCHEMA:
                return cls()
            moved = partial(_moved, before=Path(document["root"]), after=root.resolve())
            folders = {name: moved(Listing.from_json(data)) for name, data in document["folders"].items()}
            return cls(folders, {step_id: tuple(map(_record, records)) for step_id, records in document["steps"].items()})
        except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
            return cls()

    def write(self, path: Path, root: Path) -> None:
        """Write the file of the project at `root`, whole or not at all; folders nobody uses any more are left out.

        Raises:
            OSError: it cannot be written.
        """
        used = {use.folder for records in self.pages.values() for record in records for use in record.uses}
        document = {
            "schema": SCHEMA,
            "root": str(root.resolve()),
            "folders": {name: listing.to_json() for name, listing in self.folders.items() if name in used},
            "steps": {step_id: [asdict(record) for record in records] for step_id, records in sorted(self.pages.items())},
        }
        replace_text(path, json.dumps(document, separators=(",", ":")) + "\n")

    def note(self, ledger: Path, results: Iterable[Result], steps: Mapping[str, StepDef], attempts: Mapping[str, str | None]) -> None:
        """Take over what the engine wrote about a run. `steps` are its definitions by id, `attempts` the attempt tokens of the steps that
        worked.
        """
        try:
            document = json.loads(read_text(ledger, errors="surrogateescape"))
            folders = {snapshot: [self._keep(one) for one in listings] for snapshot, listings in document["folders"].items()}
        except (OSError, ValueError, KeyError):
            return
        for result in results:
            entry = document["askers"].get(requester_id(result.id))
            settings_of = steps[result.id].settings
            if entry is None or settings_of is None:
                continue
            settings = settings_of()
            record = Record(
                store=document["store"],
                attempt=attempts.get(result.id),
                work=dict(settings.work),
                judged=dict(settings.judged),
                uses=tuple(_use(folder, narrows) for snapshot, narrows in entry["uses"] for folder in folders[snapshot]),
                images=tuple((name, pinned) for name, pinned in entry["images"]),
                remote=tuple(entry["remote"]),
                results=tuple(entry["results"]),
            )
            self._turn(result, record)

    def _keep(self, data: dict[str, Any]) -> str:
        name = hashlib.sha256(json.dumps(data, sort_keys=True).encode()).hexdigest()[:24]
        self.folders[name] = Listing.from_json(data)
        return name

    def _turn(self, result: Result, record: Record) -> None:
        before, inputs = self.pages.get(result.id, ()), self._inputs(record)
        if result.status is Status.PASSED:
            others = (one for one in before if self._inputs(one) != inputs)
            self.pages[result.id] = (record, *others)[:MOST_PASSES]
        else:
            self.pages[result.id] = tuple(replace(one, failed_since=True) if self._inputs(one) == inputs else one for one in before)

    def _inputs(self, record: Record) -> object:
        """All that counts of what a record depended on."""
        files = sorted(sorted(files_in_parts(self.folders[use.folder].files, use.narrows).items()) for use in record.uses)
        return record.work, files, sorted(record.images)


def _moved(listing: Listing, before: Path, after: Path) -> Listing:
    base = Path(listing.base)
    return replace(listing, base=str(after / base.relative_to(before))) if base.is_relative_to(before) else listing


def _use(folder: str, narrows: list[list[Any]]) -> Use:
    return Use(folder=folder, narrows=tuple(TreePart.from_json(one) for one in narrows))


def _record(data: Mapping[str, Any]) -> Record:
    return Record(
        store=data["store"],
        attempt=data["attempt"],
        work=dict(data["work"]),
        judged=dict(data["judged"]),
        uses=tuple(_use(use["folder"], use["narrows"]) for use in data["uses"]),
        images=tuple((name, pinned) for name, pinned in data["images"]),
        remote=tuple(data["remote"]),
        results=tuple(data["results"]),
        failed_since=data["failed_since"],
    )
