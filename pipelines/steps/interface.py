"""What a kind of step is to the rest of the house: everything there is to know of it goes through here."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from pipelines.config import Section
    from pipelines.model import Project, Source
    from pipelines.registry import ManifestSummary
    from pipelines.steps.definition import StepDef
    from pipelines.steps.first_look.project_facts import ProjectFacts


@dataclass(frozen=True, slots=True, kw_only=True)
class RunOptions:
    """What a run says about steps: `publish` is --publish (True) or --no-publish (False); `in_ci` whether a CI provider was found."""

    publish: bool | None = None
    in_ci: bool = False


class CheckState(StrEnum):
    """How something stands that `lockgate doctor` looks at: good, worth knowing, or in the way of a run."""

    OK = "ok"
    WARNING = "warning"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class CheckResult:
    """One line of `lockgate doctor`: what was looked at, how it stands, what was seen, and what to do."""

    name: str
    state: CheckState
    detail: str
    fix: str | None = None


def _nothing(*_arguments: object) -> tuple[()]:
    return ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """A kind of step.

    A kind is a package with a module `kind` that has one of these as `KIND`, and one line in `pipelines.steps.kinds`. Importing it costs
    nothing heavy: what needs dagger or pydantic is imported by the functions, when they are called.

    Attributes:
        name: first half of its steps' ids (`test`).
        section: its part of the configuration.
        definitions: the steps of a project, in the order people read them; raises ConfigError for a project they cannot work for.
        propose: what `lockgate init` writes for a project that has images: the lines of each of its tables.
        images: names of the images that its steps pull, as the configuration has them (images of the project are built, not pulled).
        examine: what its steps would miss in the project's folder; nothing where all of it is there.
        examine_images: what there is to say of the images it pulls, given what registries have of them by name (None: not to be had).
    """

    name: str
    section: Section
    definitions: Callable[[Project, Source, RunOptions], Iterable[StepDef]]
    propose: Callable[[ProjectFacts], Iterable[Sequence[str]]] = _nothing
    images: Callable[[Project], Iterable[str]] = _nothing
    examine: Callable[[Project], Iterable[CheckResult]] = _nothing
    examine_images: Callable[[Project, Mapping[str, ManifestSummary | None]], Iterable[CheckResult]] = _nothing
