"""The value a judging step returns."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from pipelines.model.finding import Finding  # noqa: TC001 - the types of fields are read when a check is kept as JSON
from pipelines.model.verdict import Verdict  # noqa: TC001 - as above

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One test case as JUnit knows it; `status` is passed, failed, error or skipped; `duration_s` in seconds.

    `path` (relative to the project) and `line` say where the test is written, when the test runner tells. `flaky`: it passed, but only when
    it was tried again; `message` is that of the first failure.
    """

    name: str
    suite: str
    status: str
    duration_s: float = 0.0
    message: str | None = None
    detail: str | None = None
    path: str | None = None
    line: int | None = None
    flaky: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """A verdict with its evidence.

    `reason` is one sentence for people, needed for every verdict but pass. `artifacts` are file paths (absolute) the step left for
    reports. `facts` are numbers and words worth a line in a report (`p95_ms`, `database`); `cases` are test cases for JUnit. `warn` turns
    an inconclusive or no-data verdict into a pass with a warning (the gate's `on_inconclusive`). `warning`: what to say of a pass.
    """

    verdict: Verdict
    reason: str | None = None
    findings: tuple[Finding, ...] = ()
    artifacts: tuple[str, ...] = ()
    facts: Mapping[str, str | int | float | bool] = field(default_factory=dict)
    cases: tuple[Case, ...] = ()
    warn: bool = False
    warning: str | None = None
