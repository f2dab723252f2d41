"""One result of `doctor`."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class CheckState(StrEnum):
    """Good, worth knowing, or in the way."""

    OK = "ok"
    WARNING = "warning"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class CheckResult:
    """What was asked, how it stands, what was seen, and a line that says how to solve it."""

    name: str
    state: CheckState
    detail: str
    fix: str | None = None
