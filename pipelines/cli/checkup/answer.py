"""One answer of `doctor`."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class State(StrEnum):
    """Good, worth knowing, or in the way."""

    OK = "ok"
    WARNING = "warning"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Answer:
    """What was asked, how it stands, what was seen, and a line that says how to solve it."""

    name: str
    state: State
    detail: str
    fix: str | None = None
