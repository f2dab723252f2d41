"""`doctor` knows whether every image the configuration needs can be had, and how old the database is."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

import pytest

from pipelines.cli.checkup import CheckState
from pipelines.cli.checkup.images import images
from pipelines.model import LockedImage, Project, Result, Run, Status
from pipelines.report import write_record
from pipelines.steps.common.service_spec import ServiceSpec
from pipelines.steps.image.spec import ImageSpec
from pipelines.steps.perf.spec import PerfSpec
from pipelines.steps.scan.spec import ScanSpec
from tests.projects import project_with
from tests.unit.registry.conftest import Server, manifest
from tests.unit.registry.conftest import server as server  # noqa: PLC0414 - the fixture, by its own name

if TYPE_CHECKING:
    from pathlib import Path

    from pipelines.cli.checkup import CheckResult

ZERO = f"sha256:{'0' * 64}"


def locked(server: Server, **fixture: bool) -> dict[str, LockedImage]:
    names = ("python", "trivy", "k6", "trivy-db")
    return {
        name: LockedImage(name=name, reference=f"{server.address}/{name}@{ZERO}", origin="built", fixture=name.replace("-", "_") in fixture)
        for name in names
    }


def look(project: Project, *, certain: bool = True) -> dict[str, CheckResult]:
    return {answer.name: answer for answer in images(project, {}, certain=certain)}


def everything(root: Path, server: Server, **more: object) -> Project:
    (root / "Dockerfile").write_text(
        f"ARG BASE\nFROM $BASE AS a\nFROM --platform=linux/amd64 {server.address}/node:1 AS b\nFROM b\nFROM scratch\n"
    )
    return project_with(
        name="shop",
        root=root,
        images={"shop": ImageSpec(name="shop", base="python")},
        scan=ScanSpec(),
        perf={"load": PerfSpec(name="load", script="x.js", service=ServiceSpec(image=f"{server.address}/other:1", port=1))},
        locked=locked(server),
        **more,
    )


def test_every_image_is_asked_for_also_those_a_dockerfile_names(tmp_path: Path, server: Server) -> None:
    server.say(200, manifest())
    answers = look(everything(tmp_path, server))
    node, other = f"image {server.address}/node:1", f"image {server.address}/other:1"
    assert set(answers) == {"image python", "image trivy", "image k6", "image trivy-db", node, other, "database"}
    assert {answer.state for answer in answers.values()} == {CheckState.OK}


def test_a_dockerfile_is_read_as_a_builder_reads_it(tmp_path: Path, server: Server) -> None:
    """A FROM in a here-document is text, and one may go on in the next line."""
    server.say(200, manifest())
    (tmp_path / "Dockerfile").write_text(f"FROM {server.address}/a:1 \\\n AS a\nRUN <<EOF\nFROM {server.address}/text:1\nEOF\nFROM A\n")
    answers = look(project_with(name="x", root=tmp_path, images={"x": ImageSpec(name="x")}))
    assert set(answers) == {f"image {server.address}/a:1"}


def test_what_a_registry_does_not_have_is_failed_where_this_machine_pulls(tmp_path: Path, server: Server) -> None:
    server.say(404)
    answers = look(everything(tmp_path, server))
    assert answers["image python"].state is CheckState.FAILED
    assert "does not have" in answers["image python"].detail
    assert "lockgate images use python REFERENCE" in str(answers["image python"].fix)
    assert look(everything(tmp_path, server), certain=False)["image python"].state is CheckState.WARNING


def test_a_name_that_nobody_knows_is_told_with_the_command(tmp_path: Path) -> None:
    (tmp_path / "Dockerfile").write_text("ARG BASE\nFROM $BASE\n")
    (answer,) = images(project_with(name="x", root=tmp_path, images={"x": ImageSpec(name="x", base="ours")}), {})
    assert (answer.state, answer.fix) == (CheckState.FAILED, "lockgate images use ours REFERENCE")


def test_a_name_that_is_mistyped_is_told_with_the_right_one(tmp_path: Path, server: Server) -> None:
    mistyped = ImageSpec(name="x", base="pyhton")
    (answer,) = images(project_with(name="x", root=tmp_path, images={"x": mistyped}, locked=locked(server)), {})
    assert answer.detail == "no lock file defines the image for this name; did you mean python?"


def scanning(root: Path, server: Server, **fixture: bool) -> Project:
    return project_with(name="x", root=root, scan=ScanSpec(), locked=locked(server, **fixture))


@pytest.mark.parametrize(("days", "state"), [(2, CheckState.OK), (30, CheckState.WARNING)])
def test_the_age_of_the_database_as_its_maker_says(tmp_path: Path, server: Server, days: int, state: CheckState) -> None:
    made = (dt.datetime.now(dt.UTC) - dt.timedelta(days=days, hours=1)).isoformat()
    server.say(200, manifest(annotations={"org.opencontainers.image.created": made}))
    answer = look(scanning(tmp_path, server))["database"]
    assert answer.state is state
    assert answer.detail.startswith(f"{days} days old")


def test_the_age_of_the_database_as_the_last_run_saw_it(tmp_path: Path, server: Server) -> None:
    body = manifest()
    server.say(200, body)
    from pipelines.registry import find_manifest, read_reference

    digest = find_manifest(read_reference(f"{server.address}/trivy-db"), {}).digest
    made = (dt.datetime.now(dt.UTC) - dt.timedelta(days=9)).isoformat()
    steps: list[dict[str, str | int | float | bool]] = [{}, {"database_digest": digest, "database_updated": made}]
    results = tuple(Result(id=f"scan.{n}", kind="scan", name=str(n), status=Status.PASSED, facts=facts) for n, facts in enumerate(steps))
    reports = tmp_path / ".lockgate/reports"
    reports.mkdir(parents=True)
    write_record(
        Run(id="r", project="p", revision=None, version="1", started="", duration_s=1, engine=None, exit_code=0, results=results), reports
    )
    assert look(scanning(tmp_path, server))["database"].state is CheckState.WARNING


def test_a_made_up_database_is_said_to_be_one(tmp_path: Path, server: Server) -> None:
    server.say(200, manifest())
    answer = look(scanning(tmp_path, server, trivy_db=True))["database"]
    assert answer.state is CheckState.WARNING
    assert "made up" in answer.detail
