"""What a run produced: one result a step, one document a run."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from pipelines.model.verdict import Status

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pipelines.model.check import Case
    from pipelines.model.finding import Finding
    from pipelines.model.verdict import Verdict


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """How one step ended. `duration_s` in seconds of wall time; `cached` when the engine did no work for it; `error_kind` is
    `unavailable` or `internal` when status is error; `log` is the file with everything the step printed; `tail` its last lines.
    `unchanged_since` is the run whose result was taken over, where nothing has changed since.
    """

    id: str
    kind: str
    name: str
    status: Status
    verdict: Verdict | None = None
    value: Any = None
    reason: str | None = None
    error_kind: str | None = None
    next_step: str | None = None
    started_s: float = 0.0
    duration_s: float = 0.0
    cached: bool = False
    attempts: int = 1
    needs: tuple[str, ...] = ()
    findings: tuple[Finding, ...] = ()
    artifacts: tuple[str, ...] = ()
    facts: Mapping[str, str | int | float | bool] | None = None
    cases: tuple[Case, ...] = ()
    warning: str | None = None
    log: str | None = None
    tail: tuple[str, ...] = ()
    unchanged_since: str | None = None

    def __bool__(self) -> bool:
        """Whether what needs this step may run."""
        return self.status is Status.PASSED


@dataclass(frozen=True, slots=True, kw_only=True)
class EngineInfo:
    """Which engine ran, and why: `kind` is dagger or embedded; `version` is its own, `sdk` that of the installed dagger-io."""

    kind: str
    reason: str
    version: str | None = None
    sdk: str | None = None


class RunEnd(StrEnum):
    """What ended a run; its exit code follows from its steps, and from the signal that stopped it."""

    COMPLETED = "completed"
    """Every step ended by itself, or was not started because another one is missing."""
    STOPPED = "stopped"
    """A signal asked it to stop, and it did."""
    CANCELLED = "cancelled"
    """The task that called for it was cancelled."""
    KILLED = "killed"
    """It was ended at once: by a second signal, or because a step ignored the first one."""
    ERROR = "error"
    """An error of the run itself ended it, not one of a step."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """A run that has ended. `started` is RFC 3339 in UTC; `duration_s` seconds.

    `end` is how it came to that, and `error` what went wrong with the run itself, beside its steps: an error that ended it, or reports
    that could not be written. `exit_code` is that of the process.
    """

    id: str
    project: str
    revision: str | None
    version: str
    started: str
    duration_s: float
    engine: EngineInfo | None
    exit_code: int
    results: tuple[Result, ...]
    provider: str = "local"
    folder: str | None = None
    end: RunEnd = RunEnd.COMPLETED
    error: str | None = None
