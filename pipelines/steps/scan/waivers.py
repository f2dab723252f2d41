"""Waivers: known findings that a person is responsible for, until a day."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Iterable

    from pipelines.model import Finding, Waiver
    from pipelines.steps.scan.trivy import Reported

NOTICE_DAYS = 14
"""How long before its end a waiver is spoken of: two weeks, the usual length of a planning period."""


def apply(reported: Iterable[Reported], waivers: Iterable[Waiver], today: dt.date) -> tuple[Finding, ...]:
    """The findings, each with the waiver that names it (the one that lasts longest), and whether that still counts today."""
    lasting = sorted(waivers, key=lambda waiver: waiver.expires, reverse=True)
    findings = []
    for entry in reported:
        waiver = next((waiver for waiver in lasting if waiver.id.casefold() in entry.ids), None)
        covered = waiver is not None and not waiver.expired(today)
        findings.append(dataclasses.replace(entry.finding, waiver=waiver, waived=covered))
    return tuple(findings)


def expired(waivers: Iterable[Waiver], today: dt.date) -> tuple[Waiver, ...]:
    """Waivers past their day that no other waiver of the same id has replaced."""
    known = tuple(waivers)
    alive = {waiver.id.casefold() for waiver in known if not waiver.expired(today)}
    return tuple(waiver for waiver in known if waiver.id.casefold() not in alive)


def ending(waivers: Iterable[Waiver], today: dt.date) -> tuple[Waiver, ...]:
    """Waivers that still count and end within `NOTICE_DAYS` days, the day itself included."""
    return tuple(waiver for waiver in waivers if 0 <= (waiver.expires - today).days <= NOTICE_DAYS)


def told(waiver: Waiver, word: str) -> str:
    """`the waiver for CVE-2026-0001 of team-shop expired on 2026-01-31`."""
    return f"the waiver for {waiver.id} of {waiver.owner} {word} on {waiver.expires.isoformat()}"
