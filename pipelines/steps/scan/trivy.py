"""Trivy's JSON report (schema version 2) to findings."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pipelines.model import Finding, Location, Severity

if TYPE_CHECKING:
    from collections.abc import Iterator

SCHEMA_VERSION = 2
END_OF_SUPPORT = "end-of-support"
"""The rule of a finding that stands for all vulnerabilities which are no longer reported."""


class NotTrivy(ValueError):  # noqa: N818 - names what the text is not
    """The text is not a report of Trivy; the message says why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reported:
    """A finding and every id a waiver may call it by."""

    finding: Finding
    ids: frozenset[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class TrivyReport:
    """What Trivy found, and how many packages it recognised: none means that it had nothing to compare with its database."""

    reported: tuple[Reported, ...] = ()
    packages: int = 0
    system: str | None = None


def parse(text: str, *, image: str | None) -> TrivyReport:
    """Read the report of an image, which is called so in what comes out; of the sources when it is None: targets are files then.

    Raises:
        NotTrivy: it is not JSON, or not in a shape of schema version 2.
    """
    try:
        document = json.loads(text)
    except ValueError as error:
        raise NotTrivy(f"it is not JSON: {error}") from None
    if not isinstance(document, dict) or document.get("SchemaVersion") != SCHEMA_VERSION:
        raise NotTrivy(f"it is not of schema version {SCHEMA_VERSION}")
    try:
        results = [result for result in document.get("Results") or [] if isinstance(result, dict)]
        artifact = str(document.get("ArtifactName") or "")
        reported = (*_ended(document, image), *(entry for result in results for entry in _entries(result, artifact, image)))
        packages = sum(len(result.get("Packages") or []) for result in results)
        system = _system(document)
    except (AttributeError, TypeError, KeyError, ValueError) as error:
        raise NotTrivy(f"an entry has an unknown shape ({type(error).__name__}: {error})") from None
    return TrivyReport(reported=reported, packages=packages, system=system)


def _entries(result: dict[str, Any], artifact: str, image: str | None) -> Iterator[Reported]:
    target, files = str(result.get("Target") or ""), image is None
    if image is not None and artifact and target.startswith(artifact):
        target = f"{image}{target.removeprefix(artifact)}"
    for entry in result.get("Vulnerabilities") or []:
        yield _vulnerability(entry, target, files=files)
    for entry in result.get("Misconfigurations") or []:
        if entry.get("Status", "FAIL") == "FAIL":
            yield _misconfiguration(entry, target, files=files)
    for entry in result.get("Secrets") or []:
        yield _secret(entry, target, files=files)


def _vulnerability(entry: dict[str, Any], target: str, *, files: bool) -> Reported:
    package = f"{entry['PkgName']} {entry.get('InstalledVersion') or ''}".strip()
    fixed, status = entry.get("FixedVersion"), entry.get("Status")
    path = entry.get("PkgPath") or target
    finding = Finding(
        rule=str(entry["VulnerabilityID"]),
        severity=_severity(entry),
        message=f"{package}: {entry.get('Title') or _first_sentence(entry.get('Description')) or 'no title'}",
        location=Location(path=path, target=package) if files else Location(target=f"{path}: {package}"),
        remedy=f"update {entry['PkgName']} to {fixed}" if fixed else f"no fixed version ({status or 'unknown'})",
    )
    return Reported(finding=finding, ids=_ids(entry["VulnerabilityID"], *(entry.get("VendorIDs") or [])))


def _misconfiguration(entry: dict[str, Any], target: str, *, files: bool) -> Reported:
    where = entry.get("CauseMetadata") or {}
    finding = Finding(
        rule=str(entry["ID"]),
        severity=_severity(entry),
        message=f"{entry.get('Title') or entry['ID']}: {entry.get('Message') or entry.get('Description') or ''}".rstrip(": "),
        location=Location(path=target, line=where.get("StartLine")) if files else Location(target=target),
        remedy=entry.get("Resolution") or None,
    )
    return Reported(finding=finding, ids=_ids(entry["ID"], entry.get("AVDID")))


def _secret(entry: dict[str, Any], target: str, *, files: bool) -> Reported:
    """A secret in a file; what it matched is left out, though Trivy masks it."""
    finding = Finding(
        rule=str(entry["RuleID"]),
        severity=_severity(entry),
        message=str(entry.get("Title") or entry["RuleID"]),
        location=Location(path=target, line=entry.get("StartLine")) if files else Location(target=target),
        remedy="take it out of the file (and its history), and replace the secret",
    )
    return Reported(finding=finding, ids=_ids(entry["RuleID"]))


def _ended(document: dict[str, Any], image: str | None) -> Iterator[Reported]:
    """A finding for an operating system out of support (`EOSL`: end of service life, in Trivy's words)."""
    system = _system(document)
    if system is None or (document["Metadata"]["OS"].get("EOSL") is not True):
        return
    finding = Finding(
        rule=END_OF_SUPPORT,
        severity=Severity.UNKNOWN,
        message=f"{system} is no longer supported: vulnerabilities found in it since then are not reported",
        location=Location(target=image or system),
        remedy="move to a base image of a supported version",
    )
    yield Reported(finding=finding, ids=_ids(END_OF_SUPPORT))


def _severity(entry: dict[str, Any]) -> Severity:
    word = str(entry.get("Severity") or "").lower()
    return Severity(word) if word in set(Severity) else Severity.UNKNOWN


def _ids(*names: str | None) -> frozenset[str]:
    return frozenset(name.casefold() for name in names if name)


def _first_sentence(text: str | None) -> str:
    return (text or "").partition(". ")[0].partition("\n")[0]


def _system(document: dict[str, Any]) -> str | None:
    system = (document.get("Metadata") or {}).get("OS") or {}
    return f"{system['Family']} {system.get('Name', '')}".strip() if system.get("Family") else None
