"""What the work of steps on the embedded engine depended on, and whether that is still as it was: told without starting an engine.

The interface; `pipelines.engine.embedded.past_work` is behind it. A Dagger engine keeps its own cache and tells nobody what is in it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path


class FolderPart(NamedTuple):
    """A part of a folder of the host: `folder` is the name of its listing in `PastWork`, `parts` narrow it, one after the other (JSON)."""

    folder: str
    parts: tuple[Any, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkInputs:
    """What the work of one step depended on.

    `images` are references with digest, and whether they were asked for by digest; `remote` sources that may change unseen; `results` the
    keys of operations whose results the store at `store` must still have for the work to be done, each with what stands for its result: the
    same operation may be done again with another one.
    """

    store: str
    files: tuple[FolderPart, ...] = ()
    images: tuple[tuple[str, bool], ...] = ()
    remote: tuple[str, ...] = ()
    results: tuple[tuple[str, str], ...] = ()

    def to_json(self) -> dict[str, Any]:
        """As plain JSON values."""
        return {
            "store": self.store,
            "files": [[part.folder, list(part.parts)] for part in self.files],
            "images": [list(image) for image in self.images],
            "remote": list(self.remote),
            "results": [list(result) for result in self.results],
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> WorkInputs:
        """The inverse.

        Raises:
            LookupError, TypeError, ValueError: it is something else.
        """
        return cls(
            store=data["store"],
            files=tuple(FolderPart(folder, frozen(parts)) for folder, parts in data["files"]),
            images=tuple((name, pinned) for name, pinned in data["images"]),
            remote=tuple(data["remote"]),
            results=tuple((key, content) for key, content in data["results"]),
        )


def frozen(value: Any) -> Any:
    """A JSON value with its lists as tuples, so that it can be compared and looked up."""
    return tuple(map(frozen, value)) if isinstance(value, list) else value


class PastWork(Protocol):
    """What work depended on: the folders of the host as they were then, and the store that keeps the results."""

    @property
    def store(self) -> str:
        """Where the engine would keep its results now."""

    @property
    def engine(self) -> str:
        """What else decides about results: the engine's own code, and who runs it on which kind of machine. Compared as a whole."""

    def take_over(self, work_inputs: Path) -> Mapping[str, WorkInputs]:
        """What an engine wrote down when its session ended, by the name each step asks under; nothing when it cannot be read."""

    def differences(self, inputs: WorkInputs) -> Iterator[tuple[str, str]]:
        """Paths of the host that are not as they were, and what is with them: `changed`, `is new`, `is gone`, of a whole
        folder `cannot be …`.
        """

    def has_files(self, whole: WorkInputs, part: WorkInputs) -> bool:
        """Whether the files that the work `part` began from are among those of `whole`, as they were."""

    def has_results(self, inputs: WorkInputs) -> bool:
        """Whether the store still has all results of the work, and no others in their place."""

    def folders_to_json(self, wanted: Iterable[WorkInputs]) -> dict[str, Any]:
        """The folders that these depend on, as plain JSON values."""


class OpenPastWork(Protocol):
    """Opens the past work on the embedded engine of this user."""

    def __call__(
        self, environ: Mapping[str, str], folders: Mapping[str, Any] | None = None, moved: tuple[Path, Path] | None = None
    ) -> PastWork:
        """Open it. `folders` is what `folders_to_json` made; where a project was moved since then, the folders in it are meant where they
        are now: `moved` is where it was, and where it is.

        Raises:
            LookupError, TypeError, ValueError: `folders` is something else.
        """
