from __future__ import annotations

import json
from dataclasses import replace

from pipelines.model import PublishedImage, Result, Run, Status
from pipelines.report import document
from pipelines.report.document import render


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
