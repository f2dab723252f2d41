"""What the work of past sessions depended on, compared with what is there now: listings of host folders, and a look into the store."""

from __future__ import annotations

import hashlib
import json
import os
import platform
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipelines.engine.embedded.paths import store_dir
from pipelines.engine.embedded.store.host.listing import Listing, TreePart, files_in_parts, without_common
from pipelines.engine.embedded.store.host.reading import current_files
from pipelines.engine.embedded.store.objects.read_only import ReadOnlyIndex
from pipelines.engine.work_inputs import FolderPart, WorkInputs, frozen
from pipelines.foundation.regular_files import read_text

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from pipelines.engine.embedded.store.host.listing import Files

_PACKAGE = Path(__file__).parents[2]
_UNREADABLE = "cannot be read"
_ELSEWHERE = "cannot be compared, since it is not in the project, which was moved"


class EmbeddedPastWork:
    """`pipelines.engine.work_inputs.PastWork` for the embedded engine; looks at every folder once."""

    def __init__(
        self, environ: Mapping[str, str], folders: Mapping[str, Any] | None = None, moved: tuple[Path, Path] | None = None
    ) -> None:
        self.store = str(store_dir(environ, rootless=os.geteuid() != 0))
        self._folders = {name: Listing.from_json(data) for name, data in (folders or {}).items()}
        self._elsewhere = frozenset[str]()
        if moved is not None and moved[0] != moved[1]:
            self._elsewhere = frozenset(name for name, one in self._folders.items() if not Path(one.base).is_relative_to(moved[0]))
            self._folders = {name: self._at(name, one, moved) for name, one in self._folders.items()}
        self._index = ReadOnlyIndex(Path(self.store))
        self._now: dict[tuple[str, tuple[str, ...], tuple[str, ...], bool], Files | None] = {}
        self._changed_files: dict[str, tuple[Files, Files]] = {}
        self._differences: dict[FolderPart, tuple[tuple[str, str], ...]] = {}

    @cached_property
    def engine(self) -> str:
        """The code of Lockgate, by its bytes (an editable installation changes without a version, and times of files may be made up), the
        user, and the kind of machine.
        """
        code = hashlib.sha256()
        for path in sorted(_sources(str(_PACKAGE))):
            with open(path, "rb") as file:  # noqa: PTH123 - hundreds of files, in every run
                data = file.read()
            code.update(b"%s %d\0" % (path[len(str(_PACKAGE)) :].encode(), len(data)))
            code.update(data)
        return f"{code.hexdigest()[:24]} {os.geteuid()} {platform.machine()}"

    def take_over(self, work_inputs: Path) -> Mapping[str, WorkInputs]:
        """See `PastWork`."""
        try:
            document = json.loads(read_text(work_inputs, errors="surrogateescape"))
            folders = {snapshot: [self._keep(one) for one in listings] for snapshot, listings in document["folders"].items()}
            contents = self._index.contents([key for entry in document["requesters"].values() for key in entry["results"]])
            return {requester: _inputs(entry, document["store"], folders, contents) for requester, entry in document["requesters"].items()}
        except (OSError, ValueError, LookupError, TypeError):
            return {}

    def differences(self, inputs: WorkInputs) -> Iterator[tuple[str, str]]:
        """See `PastWork`."""
        for part in inputs.files:
            listing = self._folders[part.folder]
            if part.folder in self._elsewhere:
                yield listing.base, _ELSEWHERE
            elif (files := self._files_now(listing)) is None:
                yield listing.base, _UNREADABLE
            elif files != listing.files:
                yield from ((f"{listing.base}/{rel}", how) for rel, how in self._of_part(part, listing, files))

    def has_files(self, whole: WorkInputs, part: WorkInputs) -> bool:
        """See `PastWork`."""
        there = self._content(whole)
        return all(one in there for one in self._content(part))

    def has_results(self, inputs: WorkInputs) -> bool:
        """See `PastWork`."""
        now = self._index.contents([key for key, _ in inputs.results])
        return all(content and now.get(key) == content for key, content in inputs.results)

    def folders_to_json(self, wanted: Iterable[WorkInputs]) -> dict[str, Any]:
        """See `PastWork`."""
        names = {part.folder for inputs in wanted for part in inputs.files}
        return {name: listing.to_json() for name, listing in self._folders.items() if name in names}

    def _at(self, name: str, listing: Listing, moved: tuple[Path, Path]) -> Listing:
        """A folder of the project where it is now. What was beside the project may, or may not, have moved with it."""
        if name in self._elsewhere:
            return listing
        return replace(listing, base=str(moved[1] / Path(listing.base).relative_to(moved[0])))

    def _keep(self, data: dict[str, Any]) -> str:
        name = hashlib.sha256(json.dumps(data, sort_keys=True).encode()).hexdigest()[:24]
        self._folders[name] = Listing.from_json(data)
        return name

    def _files_now(self, listing: Listing) -> Files | None:
        where = (listing.base, listing.include, listing.exclude, listing.gitignore)
        if where not in self._now:
            self._now[where] = current_files(listing, self._index)
        return self._now[where]

    def _of_part(self, part: FolderPart, listing: Listing, files: Files) -> tuple[tuple[str, str], ...]:
        """What is not as it was of a part; asked for every step that uses it, worked out once."""
        if part not in self._differences:
            if part.folder not in self._changed_files:
                self._changed_files[part.folder] = without_common(listing.files, files)
            old, new = self._changed_files[part.folder]
            narrowings = _tree_parts(part)
            self._differences[part] = tuple(_differences(files_in_parts(old, narrowings), files_in_parts(new, narrowings)))
        return self._differences[part]

    def _content(self, inputs: WorkInputs) -> list[list[tuple[str, tuple[str, str]]]]:
        return [sorted(files_in_parts(self._folders[part.folder].files, _tree_parts(part)).items()) for part in inputs.files]


def _sources(folder: str) -> Iterator[str]:
    """The Python files in a folder and below it."""
    with os.scandir(folder) as entries:
        for entry in entries:
            if entry.name.endswith(".py"):
                yield entry.path
            elif entry.is_dir(follow_symlinks=False) and entry.name != "__pycache__":
                yield from _sources(entry.path)


def _inputs(entry: Mapping[str, Any], store: str, folders: Mapping[str, list[str]], contents: Mapping[str, str]) -> WorkInputs:
    parts = ((folder, frozen(narrowings)) for snapshot, narrowings in entry["uses"] for folder in folders[snapshot])
    return WorkInputs(
        store=store,
        files=tuple(FolderPart(folder, narrowings) for folder, narrowings in parts),
        images=tuple((name, pinned) for name, pinned in entry["images"]),
        remote=tuple(entry["remote"]),
        results=tuple((key, contents.get(key, "")) for key in entry["results"]),
    )


def _tree_parts(part: FolderPart) -> tuple[TreePart, ...]:
    return tuple(TreePart.from_json(list(one)) for one in part.parts)


def _differences(old: Files, new: Files) -> Iterator[tuple[str, str]]:
    """Paths that differ; a folder that is there for what is in it is not worth a word of its own."""
    for rel in old.keys() | new.keys():
        if old.get(rel) == new.get(rel):
            continue
        inside = any(other.startswith(f"{rel}/") for other in (*old, *new))
        if not inside or (rel in old and rel in new):
            yield rel, "changed" if rel in old and rel in new else "is new" if rel in new else "is gone"
