from __future__ import annotations

import datetime as dt
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.steps.scan.database import Database, Metadata, objection, read_metadata
from pipelines.steps.scan.spec import ScanSpec

NOW = dt.datetime(2026, 6, 15, 12, tzinfo=dt.UTC)


def database(days: float | None = 1, *, fixture: bool = False) -> Database:
    updated = None if days is None else NOW - dt.timedelta(days=days)
    return Database(name="trivy-db", reference="host/trivy-db@sha256:abc", origin="official", fixture=fixture, updated=updated)


@pytest.mark.parametrize(
    ("found", "spec", "says"),
    [
        (database(1), ScanSpec(), None),
        (database(7.9), ScanSpec(), None),
        (database(8), ScanSpec(), "8 days old, more than 7"),
        (database(8), ScanSpec(max_age_days=30), None),
        (database(-1), ScanSpec(), None),
        (database(None), ScanSpec(), "age of the database trivy-db is unknown"),
        (database(None), ScanSpec(allow_unknown_age=True), None),
        (database(1, fixture=True), ScanSpec(), "is made up"),
        (database(1, fixture=True), ScanSpec(allow_unknown_age=True), "is made up"),
        (database(500, fixture=True), ScanSpec(allow_fixture_database=True), None),
        (database(500), ScanSpec(allow_fixture_database=True), "500 days old"),
    ],
)
def test_whether_a_database_is_evidence(found: Database, spec: ScanSpec, says: str | None) -> None:
    doubt = objection(found, spec, NOW)
    assert (doubt is None) if says is None else (doubt is not None and says in doubt)


def test_reports_say_which_database_it_was() -> None:
    assert database(3).facts(NOW) == {
        "database": "trivy-db",
        "database_digest": "sha256:abc",
        "database_origin": "official",
        "database_fixture": False,
        "database_age_days": 3,
        "database_updated": "2026-06-12T12:00:00+00:00",
    }
    assert database(None).facts(NOW)["database_age_days"] == "unknown"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('{"Version":2,"UpdatedAt":"2026-06-01T06:12:43.123456789Z"}', Metadata(dt.datetime(2026, 6, 1, 6, 12, 43, 123456, dt.UTC), False)),
        ('{"UpdatedAt":"0001-01-01T00:00:00Z"}', Metadata(None, False)),
        ('{"UpdatedAt":"2026-01-01T00:00:00Z","Fixture":true}', Metadata(dt.datetime(2026, 1, 1, tzinfo=dt.UTC), True)),
        ('{"Fixture": true}', Metadata(None, True)),
        ('{"UpdatedAt": 5}', Metadata(None, False)),
        ("[]", Metadata(None, False)),
        ("", Metadata(None, False)),
    ],
)
def test_metadata(text: str, expected: Metadata) -> None:
    assert read_metadata(text) == expected


@given(
    st.text() | st.recursive(st.none() | st.booleans() | st.text(), lambda x: st.lists(x) | st.dictionaries(st.text(), x)).map(json.dumps)
)
def test_any_metadata_is_read_without_harm(text: str) -> None:
    assert isinstance(read_metadata(text), Metadata)
