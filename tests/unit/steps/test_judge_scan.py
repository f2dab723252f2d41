from __future__ import annotations

import dataclasses
import datetime as dt

import pytest

from pipelines.model import Check, Finding, Location, OnInconclusive, Severity, Verdict, Waiver
from pipelines.steps.scan.database import Database
from pipelines.steps.scan.judge import judge_scan
from pipelines.steps.scan.spec import EndOfSupport, ScanSpec
from pipelines.steps.scan.trivy import Reported, TrivyReport, parse

NOW = dt.datetime(2026, 6, 15, 12, tzinfo=dt.UTC)
FRESH = Database(name="trivy-db", reference="h/db@sha256:abc", origin="official", fixture=False, updated=NOW - dt.timedelta(days=1))
FIXTURE = dataclasses.replace(FRESH, fixture=True)


def report(*severities: Severity, packages: int = 10) -> TrivyReport:
    reported = tuple(
        Reported(
            finding=Finding(rule=f"CVE-{number}", severity=severity, message="m", location=Location(target=f"pkg{number}")),
            ids=frozenset({f"cve-{number}"}),
        )
        for number, severity in enumerate(severities)
    )
    return TrivyReport(reported=reported, packages=packages, system="debian 12")


def waiver(number: int, days: int) -> Waiver:
    return Waiver(id=f"CVE-{number}", owner="team-shop", reason="r", expires=NOW.date() + dt.timedelta(days=days))


def judge(found: TrivyReport, spec: ScanSpec | None = None, database: Database | None = FRESH, *, image: bool = True) -> Check:
    return judge_scan([found], spec or ScanSpec(), database, NOW, image=image)


def test_a_clean_scan_passes_and_says_what_it_looked_at() -> None:
    check = judge(report())
    assert (check.verdict, check.reason) == (Verdict.PASS, None)
    assert check.facts["packages"] == 10
    assert check.facts["system"] == "debian 12"
    assert check.facts["database_digest"] == "sha256:abc"


@pytest.mark.parametrize("threshold", list(Severity))
@pytest.mark.parametrize("severity", list(Severity))
def test_the_threshold(threshold: Severity, severity: Severity) -> None:
    verdict = judge(report(severity), ScanSpec(fail_on=threshold)).verdict
    assert (verdict is Verdict.FAIL) is (severity.rank >= threshold.rank)


def test_the_worst_findings_are_named_first() -> None:
    check = judge(report(Severity.HIGH, Severity.LOW, Severity.CRITICAL, Severity.HIGH, Severity.HIGH))
    assert check.reason == "4 findings at or above high: CVE-2 (critical) pkg2, CVE-0 (high) pkg0, CVE-3 (high) pkg3 and 1 more"
    assert check.findings[0].severity is Severity.CRITICAL
    assert len(check.findings) == 5


def test_a_waived_finding_does_not_block_and_comes_last() -> None:
    check = judge(report(Severity.CRITICAL, Severity.LOW), ScanSpec(waivers=(waiver(0, 100),)))
    assert (check.verdict, check.reason) == (Verdict.PASS, None)
    assert [finding.rule for finding in check.findings] == ["CVE-1", "CVE-0"]
    assert check.facts["waived"] == 1


OLD = '{"SchemaVersion": 2, "Metadata": {"OS": {"Family": "debian", "Name": "9.13", "EOSL": true}}, "Results": [{"Packages": [{}]}]}'
ENDED = "debian 9.13 is no longer supported: vulnerabilities found in it since then are not reported"


@pytest.mark.parametrize("threshold", list(Severity))
@pytest.mark.parametrize(("setting", "verdict"), [(EndOfSupport.WARN, Verdict.PASS), (EndOfSupport.FAIL, Verdict.FAIL)])
def test_an_operating_system_out_of_support_is_said_and_fails_where_the_configuration_says_so(
    setting: EndOfSupport, verdict: Verdict, threshold: Severity
) -> None:
    check = judge(parse(OLD, image="shop"), ScanSpec(end_of_support=setting, fail_on=threshold))
    assert (check.verdict, check.reason) == (verdict, ENDED)
    assert [finding.location.target for finding in check.findings] == ["shop"]


def test_an_operating_system_out_of_support_can_be_waived_until_a_day() -> None:
    known = Waiver(id="end-of-support", owner="team-shop", reason="r", expires=NOW.date() + dt.timedelta(days=90))
    check = judge(parse(OLD, image="shop"), ScanSpec(end_of_support=EndOfSupport.FAIL, waivers=(known,)))
    assert (check.verdict, check.reason) == (Verdict.PASS, None)


def test_a_supported_operating_system_is_not_a_finding() -> None:
    assert judge(parse(OLD.replace("true", "false"), image="shop")).reason is None


def test_an_expired_waiver_fails_and_names_its_owner() -> None:
    check = judge(report(Severity.HIGH), ScanSpec(waivers=(waiver(0, -1),)))
    assert check.verdict is Verdict.FAIL
    assert check.reason == "the waiver for CVE-0 of team-shop expired on 2026-06-14; 1 finding at or above high: CVE-0 (high) pkg0"


def test_an_expired_waiver_fails_even_when_it_no_longer_matches() -> None:
    assert judge(report(), ScanSpec(waivers=(waiver(7, -1),))).verdict is Verdict.FAIL


def test_a_waiver_about_to_end_is_spoken_of_in_a_pass() -> None:
    check = judge(report(Severity.HIGH), ScanSpec(waivers=(waiver(0, 14),)))
    assert (check.verdict, check.reason) == (Verdict.PASS, "the waiver for CVE-0 of team-shop ends on 2026-06-29")


@pytest.mark.parametrize(
    ("found", "spec", "database", "says"),
    [
        (report(), ScanSpec(), FIXTURE, "is made up"),
        (report(), ScanSpec(), dataclasses.replace(FRESH, updated=None), "is unknown"),
        (report(), ScanSpec(max_age_days=0), FRESH, "1 days old"),
        (report(), ScanSpec(), None, "no vulnerability database"),
        (report(packages=0), ScanSpec(), FRESH, "did not recognise any package"),
    ],
)
def test_no_evidence_is_no_pass(found: TrivyReport, spec: ScanSpec, database: Database | None, says: str) -> None:
    check = judge(found, spec, database)
    assert (check.verdict, check.warn) == (Verdict.NO_DATA, False)
    assert check.reason is not None
    assert says in check.reason


def test_no_data_may_be_a_warning() -> None:
    assert judge(report(), ScanSpec(on_inconclusive=OnInconclusive.WARN), FIXTURE).warn


def test_a_finding_is_evidence_whatever_the_database() -> None:
    check = judge(report(Severity.CRITICAL), ScanSpec(on_inconclusive=OnInconclusive.WARN), FIXTURE)
    assert (check.verdict, check.warn) == (Verdict.FAIL, False)
    assert check.reason is not None
    assert "is made up" in check.reason


def test_a_fixture_that_is_allowed_by_name_counts_and_is_still_reported() -> None:
    check = judge(report(), ScanSpec(allow_fixture_database=True), FIXTURE)
    assert check.verdict is Verdict.PASS
    assert check.facts["database_fixture"] is True


def test_sources_need_no_packages() -> None:
    assert judge(report(packages=0), image=False).verdict is Verdict.PASS


def test_every_platform_must_show_packages() -> None:
    check = judge_scan([report(), report(packages=0)], ScanSpec(), FRESH, NOW, image=True)
    assert check.verdict is Verdict.NO_DATA
