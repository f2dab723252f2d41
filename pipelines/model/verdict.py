"""The five-valued verdict of a judgement and the status of a step."""

from __future__ import annotations

from enum import StrEnum


class Verdict(StrEnum):
    """What a judge says. Nothing passes below its minimum evidence: that is `NO_DATA` or `INCONCLUSIVE`."""

    PASS = "pass"  # noqa: S105 - a verdict, not a password
    FAIL = "fail"
    INCONCLUSIVE = "inconclusive"
    NO_DATA = "no-data"
    ERROR = "error"


class Status(StrEnum):
    """How a step ended."""

    PASSED = "passed"
    FAILED = "failed"
    ERROR = "error"
    BLOCKED = "blocked"
    SKIPPED = "skipped"
    CANCELLED = "cancelled"


class OnInconclusive(StrEnum):
    """What a gate makes of `INCONCLUSIVE` and `NO_DATA`."""

    FAIL = "fail"
    WARN = "warn"
