"""What a provider is: facts about the job, and the commands that its log viewer understands. The base does without all of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pipelines.providers.harmless import harmless

if TYPE_CHECKING:
    from pathlib import Path


@dataclass(frozen=True, slots=True)
class Fold:
    """Lines (without newline) to print before and after output that a log viewer shall fold away."""

    before: str
    after: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Annotation:
    """A remark a provider may show at a place in the code. `level` is error, warning or notice; `path` is relative to the project."""

    level: str
    title: str
    message: str
    path: str | None = None
    line: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Provider:
    """Where a run takes place.

    `name` is local, ci, gitlab or github. `revision` is the commit the job was started for; `branch` the branch it came from (of a merge
    request: its source); `run_url` a page about the job; `actor` who started it; `fork` whether the code comes from somebody else's
    repository, so that secrets are not to be expected.
    """

    name: str = "local"
    in_ci: bool = False
    branch: str | None = None
    tag: str | None = None
    revision: str | None = None
    run_url: str | None = None
    actor: str | None = None
    fork: bool = False
    summary_file: Path | None = None

    def fold(self, name: str, title: str, *, started: float, ended: float, collapsed: bool = True) -> Fold | None:
        """How to fold a step's output; None where the log viewer cannot. Times are seconds since the epoch."""
        _ = (name, title, started, ended, collapsed)
        return None

    def guard(self) -> Fold | None:
        """Lines between which the log viewer accepts commands only from this provider; None when it has no such lines.

        They protect from what does not pass through us, such as a program that a step in Python starts.
        """
        return None

    def harmless(self, text: str) -> str:
        """Text of others as it may be printed: the log viewer takes none of it for a command."""
        return harmless(text) if self.in_ci else text

    def annotate(self, annotation: Annotation) -> str | None:
        """The line that makes the provider show the remark; None where it cannot."""
        _ = annotation
        return None

    def spoken(self, commands: str) -> str:
        """Lines that are commands to the log viewer, as they are printed within the guard."""
        return commands

    def summarise(self, markdown: str) -> bool:
        """Hand over the run's summary; False where the provider has no place for it."""
        _ = markdown
        return False
