"""The record of a run: what it says, that it can be read again, and its schema."""

from __future__ import annotations

import json
from dataclasses import replace

import jsonschema
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.model import (
    Case,
    EngineInfo,
    Finding,
    Location,
    PublishedImage,
    Result,
    Run,
    RunEnd,
    Severity,
    Status,
    Verdict,
    Waiver,
)
from pipelines.report.record import RunRecord, document, record_of, record_schema, render


def test_the_keys_promised_by_schema_1_are_there(mixed_run: Run) -> None:
    data = json.loads(render(mixed_run))
    assert data["schema"] == 1
    assert data["run"] | {"id": "20261123-153000-ab12", "project": "shop", "revision": "0123456789abcdef"} == data["run"]
    assert data["run"]["engine"] == {"kind": "embedded", "reason": "no Dagger found", "version": "0.21.11", "sdk": "0.21.11"}
    assert (data["run"]["exit_code"], data["run"]["duration_s"]) == (1, 41.235)
    promised = {"id", "kind", "name", "status", "verdict", "duration_s", "cached", "reason", "needs", "findings", "artifacts", "log"}
    assert all(promised <= set(step) for step in data["steps"])
    assert {"name", "ref", "digest", "published"} <= set(data["images"][0])


def test_a_step_says_what_it_found(mixed_run: Run) -> None:
    steps = {step["id"]: step for step in json.loads(render(mixed_run))["steps"]}
    assert steps["test.unit"]["tests"] == {"total": 3, "passed": 1, "failed": 1, "error": 0, "skipped": 1}
    assert steps["test.unit"]["findings"][0]["location"] == {"path": "t.py", "line": 3, "target": None}
    waived = steps["scan.shop"]["findings"][0]
    assert (waived["waived"], waived["waiver"]["owner"], waived["waiver"]["expires"]) == (True, "team-shop", "2027-01-31")
    assert steps["perf.checkout"]["error_kind"] == "unavailable"


def test_an_image_that_was_published_is_told_with_its_base(mixed_run: Run) -> None:
    digest = "sha256:" + "a" * 64
    published = PublishedImage(name="shop", repository="localhost/shop", digest=digest, tags=("1", "latest"))
    step = Result(id="publish.shop", kind="publish", name="shop", status=Status.PASSED, value=published)
    images = json.loads(render(replace(mixed_run, results=(*mixed_run.results[:-1], step))))["images"]
    assert [(image["name"], image["published"], image["digest"]) for image in images] == [("shop", True, digest)]
    assert (images[0]["ref"], images[0]["base"], images[0]["origin"]) == (f"localhost/shop:1@{digest}", "python", "built")


def test_an_image_of_a_step_that_did_not_pass_is_not_an_image(mixed_run: Run) -> None:
    first = replace(mixed_run.results[0], status=Status.CANCELLED)
    assert document(replace(mixed_run, results=(first,)))["images"] == []


def test_a_run_that_needed_no_engine_says_null(mixed_run: Run) -> None:
    run = document(replace(mixed_run, engine=None))["run"]
    assert isinstance(run, dict)
    assert run["engine"] is None


VALID = jsonschema.Draft202012Validator(record_schema())
TEXT = st.text(max_size=8)
NAMES = st.text("abc.-", min_size=1, max_size=6)
FACTS = st.dictionaries(NAMES, TEXT | st.integers() | st.booleans() | st.floats(), max_size=3)
WAIVERS = st.builds(Waiver, id=TEXT, owner=TEXT, reason=TEXT, expires=st.dates())
LOCATIONS = st.builds(Location, path=st.none() | TEXT, line=st.none() | st.integers(), target=st.none() | TEXT)
FINDINGS = st.builds(
    Finding,
    rule=TEXT,
    severity=st.sampled_from(Severity),
    message=TEXT,
    location=LOCATIONS,
    remedy=st.none() | TEXT,
    waiver=st.none() | WAIVERS,
    waived=st.booleans(),
)
CASES = st.builds(Case, name=TEXT, suite=TEXT, status=st.sampled_from(["passed", "failed", "error", "skipped"]))
PUBLISHED = st.builds(
    PublishedImage,
    name=NAMES,
    repository=NAMES,
    digest=NAMES,
    tags=st.lists(NAMES, max_size=2).map(tuple),
    platforms=st.lists(NAMES, max_size=2).map(tuple),
    labels=st.dictionaries(NAMES, TEXT, max_size=2),
    version=st.none() | TEXT,
)
SECONDS = st.floats(0, 1e6)
RESULTS = st.builds(
    Result,
    id=NAMES,
    kind=NAMES,
    name=NAMES,
    status=st.sampled_from(Status),
    verdict=st.none() | st.sampled_from(Verdict),
    value=st.none() | PUBLISHED | st.just(object()),
    reason=st.none() | TEXT,
    error_kind=st.none() | st.sampled_from(["unavailable", "internal"]),
    next_step=st.none() | TEXT,
    started_s=SECONDS,
    duration_s=SECONDS,
    cached=st.booleans(),
    attempts=st.integers(1, 5),
    needs=st.lists(NAMES, max_size=2).map(tuple),
    findings=st.lists(FINDINGS, max_size=2).map(tuple),
    artifacts=st.lists(TEXT, max_size=2).map(tuple),
    facts=st.none() | FACTS,
    cases=st.lists(CASES, max_size=3).map(tuple),
    warning=st.none() | TEXT,
    log=st.none() | TEXT,
)
RUNS = st.builds(
    Run,
    id=NAMES,
    project=TEXT,
    revision=st.none() | TEXT,
    version=TEXT,
    started=TEXT,
    duration_s=SECONDS,
    engine=st.none() | st.builds(EngineInfo, kind=NAMES, reason=TEXT, version=st.none() | TEXT, sdk=st.none() | TEXT),
    exit_code=st.sampled_from([0, 1, 4, 70, 130]),
    results=st.lists(RESULTS, max_size=3).map(tuple),
    provider=NAMES,
    folder=st.none() | TEXT,
    end=st.sampled_from(RunEnd),
    error=st.none() | TEXT,
)


@settings(max_examples=50)
@given(run=RUNS)
def test_a_record_that_is_read_is_the_one_that_was_written_and_is_as_its_schema_says(run: Run) -> None:
    data = json.loads(render(run), parse_constant=pytest.fail)
    assert RunRecord.from_json(data) == record_of(run)
    VALID.validate(data)


def test_the_record_of_an_earlier_version_can_be_read(mixed_run: Run) -> None:
    data = document(mixed_run)
    for key in ("end", "error"):
        del data["run"][key]
    for key in ("repository", "tags", "labels"):
        del data["images"][0][key]
    record = RunRecord.from_json(data)
    assert (record.run.end, record.run.exit_code) == (RunEnd.COMPLETED, 1)


@pytest.mark.parametrize("change", [{"schema": 2}, {"run": None}, {"steps": [{}]}])
def test_what_is_no_record_of_this_schema_is_refused(mixed_run: Run, change: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=r"schema|RunRecord"):
        RunRecord.from_json(document(mixed_run) | change)


def test_a_text_that_utf_8_has_no_bytes_for_is_escaped(mixed_run: Run) -> None:
    text = render(replace(mixed_run, error="\udcff"))
    assert json.loads(text.encode())["run"]["error"] == "\udcff"


def test_one_run_with_everything_is_as_its_schema_says(mixed_run: Run) -> None:
    steps = (replace(mixed_run.results[0], facts={"a": float("inf"), "b": 1.5}), *mixed_run.results[1:])
    data = json.loads(render(replace(mixed_run, results=steps)), parse_constant=pytest.fail)
    VALID.validate(data)
    assert data["steps"][0]["facts"] == {"a": "inf", "b": 1.5}
