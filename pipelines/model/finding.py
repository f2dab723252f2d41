"""One finding model for test failures, vulnerabilities, misconfigurations, slow endpoints and policy breaches."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import datetime as dt


class Severity(StrEnum):
    """How bad a finding is; ordered by `rank`."""

    UNKNOWN = "unknown"
    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"
    CRITICAL = "critical"

    @property
    def rank(self) -> int:
        """0 (unknown) to 4 (critical)."""
        return list(Severity).index(self)


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiver:
    """A known finding that a person is responsible for, until a day (inclusive)."""

    id: str
    owner: str
    reason: str
    expires: dt.date

    def expired(self, today: dt.date) -> bool:
        """Whether the waiver no longer counts on the given day."""
        return today > self.expires


@dataclass(frozen=True, slots=True, kw_only=True)
class Location:
    """Where a finding sits: a file of the project (`path`, `line`) or a thing in an artifact (`target`, e.g. an image or package)."""

    path: str | None = None
    line: int | None = None
    target: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing a step found.

    `rule` names the check (`CVE-2026-0001`, `tests.unit::test_total`, `p95_ms`); `waiver` is the waiver that covers it, if any, and
    `waived` says whether it still counts.
    """

    rule: str
    severity: Severity
    message: str
    location: Location = Location()
    remedy: str | None = None
    waiver: Waiver | None = None
    waived: bool = False
