from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.model import Finding, Location, Severity
from pipelines.steps.scan.trivy import NotTrivy, TrivyReport, parse

IMAGE = {
    "SchemaVersion": 2,
    "CreatedAt": "2026-06-01T00:00:00.55Z",
    "ArtifactName": "/lockgate/shop.tar",
    "ArtifactType": "container_image",
    "Metadata": {"OS": {"Family": "debian", "Name": "12.15"}},
    "Results": [
        {
            "Target": "/lockgate/shop.tar (debian 12.15)",
            "Class": "os-pkgs",
            "Type": "debian",
            "Packages": [{"Name": "bash"}, {"Name": "base-files"}],
            "Vulnerabilities": [
                {
                    "VulnerabilityID": "CVE-2026-0001",
                    "VendorIDs": ["DSA-1-1"],
                    "PkgName": "bash",
                    "InstalledVersion": "5.2-1",
                    "FixedVersion": "5.2-2",
                    "Status": "fixed",
                    "Title": "bash: runs commands",
                    "Severity": "CRITICAL",
                },
                {
                    "VulnerabilityID": "CVE-2026-0002",
                    "PkgName": "base-files",
                    "InstalledVersion": "12.4",
                    "Status": "affected",
                    "Description": "It is there. Always.",
                    "Severity": "LOW",
                },
            ],
        },
        {
            "Target": "Python",
            "Class": "lang-pkgs",
            "Type": "python-pkg",
            "Packages": [{"Name": "flask"}],
            "Vulnerabilities": [
                {
                    "VulnerabilityID": "GHSA-1",
                    "PkgName": "flask",
                    "PkgPath": "opt/venv/flask",
                    "InstalledVersion": "1.0",
                    "Severity": "NEGLIGIBLE",
                }
            ],
        },
        {"Target": "OS Packages", "Class": "license"},
    ],
}

SOURCES = {
    "SchemaVersion": 2,
    "ArtifactType": "filesystem",
    "Results": [
        {
            "Target": "Dockerfile",
            "Class": "config",
            "Misconfigurations": [
                {
                    "ID": "DS002",
                    "AVDID": "AVD-DS-0002",
                    "Title": "Image user should not be 'root'",
                    "Message": "Specify at least 1 USER command",
                    "Resolution": "Add 'USER <non root user name>' line",
                    "Severity": "HIGH",
                    "Status": "FAIL",
                    "CauseMetadata": {"StartLine": 3, "EndLine": 3},
                },
                {"ID": "DS005", "Title": "fine", "Severity": "LOW", "Status": "PASS", "CauseMetadata": {}},
            ],
        },
        {
            "Target": "creds.txt",
            "Class": "secret",
            "Secrets": [
                {"RuleID": "aws-access-key-id", "Severity": "CRITICAL", "Title": "AWS Access Key ID", "StartLine": 1, "Match": "key = ****"}
            ],
        },
    ],
}


def read(document: object, image: str | None = "shop") -> TrivyReport:
    return parse(json.dumps(document), image=image)


def test_vulnerabilities_of_an_image() -> None:
    report = read(IMAGE)
    assert (report.packages, report.system) == (3, "debian 12.15")
    first, second, third = (entry.finding for entry in report.reported)
    assert first == Finding(
        rule="CVE-2026-0001",
        severity=Severity.CRITICAL,
        message="bash 5.2-1: bash: runs commands",
        location=Location(target="shop (debian 12.15): bash 5.2-1"),
        remedy="update bash to 5.2-2",
    )
    assert (second.message, second.remedy) == ("base-files 12.4: It is there", "no fixed version (affected)")
    assert (third.severity, third.location.target) == (Severity.UNKNOWN, "opt/venv/flask: flask 1.0")


def test_a_waiver_may_use_the_vendors_name() -> None:
    assert read(IMAGE).reported[0].ids == {"cve-2026-0001", "dsa-1-1"}


def test_misconfigurations_and_secrets_of_sources_have_a_place_in_a_file() -> None:
    user, secret = read(SOURCES, None).reported
    assert user.finding.rule == "DS002"
    assert user.finding.location == Location(path="Dockerfile", line=3)
    assert user.ids == {"ds002", "avd-ds-0002"}
    assert secret.finding.location == Location(path="creds.txt", line=1)
    assert "****" not in secret.finding.message


@pytest.mark.parametrize("document", [{"SchemaVersion": 2}, {"SchemaVersion": 2, "Results": None}, {"SchemaVersion": 2, "Results": []}])
def test_a_report_without_results_is_an_empty_one(document: dict[str, Any]) -> None:
    assert read(document) == TrivyReport()


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "not JSON"),
        ("[]", "schema version"),
        ('{"SchemaVersion": 1}', "schema version"),
        ('{"SchemaVersion": 2, "Results": [{"Vulnerabilities": [{}]}]}', "unknown shape"),
        ('{"SchemaVersion": 2, "Results": [{"Vulnerabilities": [5]}]}', "unknown shape"),
        ('{"SchemaVersion": 2, "Results": 5}', "unknown shape"),
    ],
)
def test_what_is_no_report(text: str, why: str) -> None:
    with pytest.raises(NotTrivy, match=why):
        parse(text, image="shop")


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda x: st.lists(x, max_size=3) | st.dictionaries(st.text(max_size=5), x, max_size=3),
)


@given(
    st.dictionaries(
        st.sampled_from(["Results", "Metadata"]),
        JSON
        | st.lists(
            st.dictionaries(st.sampled_from(["Target", "Vulnerabilities", "Misconfigurations", "Secrets", "Packages"]), JSON), max_size=2
        ),
    ),
    st.sampled_from(["shop", None]),
)
def test_any_document_is_a_report_or_told_to_be_none(document: dict[str, Any], image: str | None) -> None:
    try:
        report = read({**document, "SchemaVersion": 2}, image)
    except NotTrivy:
        return
    assert report.packages >= 0
