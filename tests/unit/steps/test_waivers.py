from __future__ import annotations

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.model import Finding, Severity, Waiver
from pipelines.steps.scan import waivers
from pipelines.steps.scan.trivy import Reported

TODAY = dt.date(2026, 6, 15)


def waiver(days: int, rule: str = "CVE-2026-0001", owner: str = "team-shop") -> Waiver:
    return Waiver(id=rule, owner=owner, reason="not reachable", expires=TODAY + dt.timedelta(days=days))


def reported(*ids: str) -> Reported:
    return Reported(finding=Finding(rule=ids[0], severity=Severity.HIGH, message="m"), ids=frozenset(name.casefold() for name in ids))


@pytest.mark.parametrize(("days", "covered"), [(-1, False), (0, True), (1, True)])
def test_a_waiver_counts_until_its_day_inclusive(days: int, covered: bool) -> None:
    (finding,) = waivers.apply([reported("CVE-2026-0001")], [waiver(days)], TODAY)
    assert (finding.waived, finding.waiver) == (covered, waiver(days))


def test_a_waiver_covers_what_it_names_and_nothing_else() -> None:
    one, other = waivers.apply([reported("CVE-2026-0001"), reported("CVE-2026-0002")], [waiver(1)], TODAY)
    assert (one.waived, other.waived, other.waiver) == (True, False, None)


def test_any_id_of_a_finding_will_do_in_any_case() -> None:
    (finding,) = waivers.apply([reported("DS002", "AVD-DS-0002")], [waiver(1, "avd-ds-0002")], TODAY)
    assert finding.waived


def test_the_longest_of_several_counts() -> None:
    (finding,) = waivers.apply([reported("CVE-2026-0001")], [waiver(-5, owner="a"), waiver(5, owner="b")], TODAY)
    assert finding.waiver is not None
    assert finding.waiver.owner == "b"


def test_a_waiver_that_was_renewed_is_not_expired() -> None:
    assert waivers.expired([waiver(-5), waiver(5)], TODAY) == ()
    assert waivers.expired([waiver(-5), waiver(5, "CVE-2026-0002")], TODAY) == (waiver(-5),)


@given(st.integers(-1000, 1000))
def test_a_waiver_is_expired_or_counts_and_is_spoken_of_in_its_last_two_weeks(days: int) -> None:
    one = waiver(days)
    (finding,) = waivers.apply([reported("CVE-2026-0001")], [one], TODAY)
    assert finding.waived is (waivers.expired([one], TODAY) == ())
    assert (one in waivers.ending([one], TODAY)) is (0 <= days <= 14)


def test_the_owner_is_named() -> None:
    assert waivers.told(waiver(-1), "expired") == "the waiver for CVE-2026-0001 of team-shop expired on 2026-06-14"
