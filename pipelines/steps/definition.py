"""What a step looks like to the graph, and what a running step is given.

This module imports neither dagger nor the code of a step: a plan is drawn from definitions alone.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

from pipelines.model import StepLimits

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Awaitable, Callable, Mapping
    from pathlib import Path

    import dagger

    from pipelines.model import Project, Source

CLIENT, CONTEXT = "dagger.Client", "StepContext"
GIVENS = ("Project", "Source", CLIENT, CONTEXT)
"""Types a step may ask for that no step makes."""


def parameter_name(step_id: str) -> str:
    """The name a parameter must have to take a step's value: the id with `_` for every other character."""
    return re.sub(r"\W", "_", step_id, flags=re.ASCII)


@dataclass(frozen=True, slots=True, kw_only=True)
class Parameter:
    """A parameter of a step function; `annotation` is its type as text (`dagger.Client`, `BuiltImage`, `Project`), never evaluated."""

    name: str
    annotation: str | None


@dataclass(frozen=True, slots=True)
class StepSettings:
    """What of the configuration shapes a step, by names people know: what takes part in the `work`, and what is only `judged` by when the
    work is done. Values are short hashes, and references of images as they are: nothing else of a configuration is kept elsewhere.
    `asked` is what only somebody else can say, each time, as the end of a sentence that begins with "cached if". `files` are the states of
    the files that were read for it: they tell, within a run, that one was written in between; between runs they mean nothing.
    """

    work: Mapping[str, str] = field(default_factory=dict)
    judged: Mapping[str, str] = field(default_factory=dict)
    asked: tuple[str, ...] = ()
    files: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class AwaitedChecks:
    """Which checks a step waits for: those that `selectors` name by id or kind, None for every check of the run.

    `subject` is what waits, for messages (`publishing`), and `key` the key of the configuration that names them (`publish.after`).
    """

    selectors: tuple[str, ...] | None
    subject: str
    key: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RestoreInputs:
    """What a keeper makes a value out of, beside what it kept. `client` gives a client at once; calling it starts the engine."""

    project: Project
    source: Source
    context: StepContext
    environ: Mapping[str, str] = field(repr=False)
    now: dt.datetime
    client: Callable[[], dagger.Client] = field(repr=False)


class ValueKeeper(Protocol):
    """Keeps the value of a step of a kind for later runs, without anything that could hold a secret.

    `judges_anew`: a verdict is made again from what was measured, so that it may be kept though what it is judged by has changed.
    """

    judges_anew: bool

    def keep(self, value: object, project: Project, source: Source) -> Mapping[str, Any] | None:
        """The value as plain JSON values; None when it cannot be given again, or its work had secrets."""

    async def restore(self, data: Mapping[str, Any], restore_inputs: RestoreInputs) -> object | None:
        """The value as the step would return it now; None when that cannot be said without work. Its artifacts are in the context's folder.

        Raises:
            LookupError, TypeError, ValueError: the data is not what `keep` gives.
            LockgateError: somebody who must be asked does not answer.
        """


@dataclass(frozen=True, slots=True, kw_only=True)
class StepDef:
    """A step that can be put in the graph.

    `id` is `kind.name`. `provides` is the return annotation as text. `load` imports the module with the code and returns the step
    function, so that a definition costs nothing until it runs. `skip` is the reason why it is not this step's turn (publish on a
    laptop). `after` names ids that must pass first though their values are not needed. `describe` is one line for `plan`.
    `own`: the code is the project's, so that whatever it raises is this step's failure, and no defect of Lockgate.
    `uses_engine`: its code may use the engine without asking for it, through the global client of the SDK.
    `section` is the key of the configuration it comes from (`tests`), which selects like a kind. `awaits`: it comes after checks, whatever
    they are. `settings` tells what shapes its work; None for a step whose outcome is not remembered, and `runs_because` says why that is.
    `keeper` loads what keeps the step's value for later runs; None: the step works in every run.
    """

    id: str
    kind: str
    name: str
    parameters: tuple[Parameter, ...]
    provides: str | None
    load: Callable[[], Callable[..., Awaitable[object]]]
    limits: StepLimits = field(default_factory=StepLimits)
    skip: str | None = None
    describe: str = ""
    after: tuple[str, ...] = ()
    own: bool = False
    uses_engine: bool = False
    section: str | None = None
    awaits: AwaitedChecks | None = None
    settings: Callable[[], StepSettings] | None = None
    runs_because: str = "its own code runs every time"
    keeper: Callable[[], ValueKeeper] | None = None


def _quiet(_text: str) -> None:
    """Drop a line of output."""


@dataclass(slots=True, kw_only=True)
class StepContext:
    """What a running step knows about itself; a step asks for it by the type `StepContext`.

    `folder` is where the step leaves artifacts (`.lockgate/runs/<run>/<id>/`). `attempt` is the attempt token its commands carry in
    their cache key: None until an outcome other than passed was seen. `log` takes text for the step's log file and the live board. A
    step sets `cached` when the engine did no work for it. `used_attempt` is the token the outcome at hand was made with; the scheduler
    keeps it in `.lockgate/state.json` together with the status. `unchanged_since` is the run whose result was taken over.
    `mask` takes a secret value the step came to know: from then on it is masked in logs and reports.
    """

    id: str
    run_id: str
    folder: Path
    attempt: str | None = None
    log: Callable[[str], None] = field(default=_quiet, repr=False)
    mask: Callable[[str], None] = field(default=_quiet, repr=False)
    cached: bool = False
    unchanged_since: str | None = None
    used_attempt: str | None = None

    def __post_init__(self) -> None:
        self.used_attempt = self.attempt

    def set_attempt(self, token: str | None) -> None:
        """Remember the attempt token the step's outcome was made with."""
        self.used_attempt = token
