"""A `Check` as plain JSON values, and back. Its artifacts are given by their names: they are files in the step's folder."""

from __future__ import annotations

import dataclasses
import datetime as dt
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipelines.model import Case, Check, Finding, Location, Severity, Verdict, Waiver

if TYPE_CHECKING:
    from collections.abc import Mapping


def check_to_json(check: Check) -> dict[str, Any]:
    """The check as plain JSON values."""
    return {
        "verdict": check.verdict.value,
        "reason": check.reason,
        "findings": [_finding(one) for one in check.findings],
        "artifacts": [Path(name).name for name in check.artifacts],
        "facts": dict(check.facts),
        "cases": [dataclasses.asdict(one) for one in check.cases],
        "warn": check.warn,
        "warning": check.warning,
    }


def check_from_json(data: Mapping[str, Any], folder: Path) -> Check:
    """The check; `folder` holds its artifacts.

    Raises:
        LookupError, TypeError, ValueError: it is something else.
    """
    return Check(
        verdict=Verdict(data["verdict"]),
        reason=data["reason"],
        findings=tuple(map(_read_finding, data["findings"])),
        artifacts=tuple(str((folder / name).resolve()) for name in data["artifacts"]),
        facts=dict(data["facts"]),
        cases=tuple(Case(**one) for one in data["cases"]),
        warn=data["warn"],
        warning=data["warning"],
    )


def _finding(finding: Finding) -> dict[str, Any]:
    location, waiver = finding.location, finding.waiver
    return {
        "rule": finding.rule,
        "severity": finding.severity.value,
        "message": finding.message,
        "location": [location.path, location.line, location.target],
        "remedy": finding.remedy,
        "waiver": None if waiver is None else [waiver.id, waiver.owner, waiver.reason, waiver.expires.isoformat()],
        "waived": finding.waived,
    }


def _read_finding(data: Mapping[str, Any]) -> Finding:
    path, line, target = data["location"]
    waiver = data["waiver"]
    return Finding(
        rule=data["rule"],
        severity=Severity(data["severity"]),
        message=data["message"],
        location=Location(path=path, line=line, target=target),
        remedy=data["remedy"],
        waiver=None if waiver is None else _read_waiver(*waiver),
        waived=data["waived"],
    )


def _read_waiver(name: str, owner: str, reason: str, expires: str) -> Waiver:
    return Waiver(id=name, owner=owner, reason=reason, expires=dt.date.fromisoformat(expires))
