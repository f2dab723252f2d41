"""What is kept of a step's value, and when it is given again: judged with the day of now, asked of the registry, never with a secret."""

from __future__ import annotations

import dataclasses
import datetime as dt
import hashlib
import json
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.model import (
    BuiltImage,
    Case,
    Check,
    Finding,
    Location,
    LockedImage,
    Project,
    PublishedImage,
    Registry,
    SecretRef,
    Severity,
    Source,
    Verdict,
    Waiver,
)
from pipelines.steps.common.check_json import check_from_json, check_to_json
from pipelines.steps.definition import RestoreInputs, StepContext
from pipelines.steps.image.keeper import ImageKeeper
from pipelines.steps.image.spec import ImageSpec, ImageTarget
from pipelines.steps.perf.keeper import MeasurementKeeper
from pipelines.steps.publish.keeper import PublishedImageKeeper
from pipelines.steps.publish.spec import PublishSpec
from pipelines.steps.scan.keeper import ScanKeeper
from pipelines.steps.scan.spec import ScanSpec
from pipelines.steps.test.keeper import CheckOfTestKeeper
from pipelines.steps.test.spec import TestSpec
from tests.projects import changed, project_with
from tests.unit.registry.conftest import Server, manifest, server

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["server"]

NOW = dt.datetime(2026, 6, 15, 12, tzinfo=dt.UTC)
SNAPSHOT = Source(root="/project", version="0.0.0")
DATABASE = LockedImage(name="trivy-db", reference="h/db@sha256:abc", origin="official")
REPORT = {
    "SchemaVersion": 2,
    "ArtifactName": "shop",
    "Results": [
        {
            "Target": "debian",
            "Class": "os-pkgs",
            "Type": "debian",
            "Packages": [{"Name": "bash"}],
            "Vulnerabilities": [{"VulnerabilityID": "CVE-2026-0001", "PkgName": "bash", "Severity": "CRITICAL", "Title": "t"}],
        }
    ],
}

TEXT = st.text(max_size=8)
CHECKS = st.builds(
    Check,
    verdict=st.sampled_from(Verdict),
    reason=st.none() | TEXT,
    findings=st.lists(
        st.builds(
            Finding,
            rule=TEXT,
            severity=st.sampled_from(Severity),
            message=TEXT,
            location=st.builds(Location, path=st.none() | TEXT, line=st.none() | st.integers(), target=st.none() | TEXT),
            remedy=st.none() | TEXT,
            waiver=st.none() | st.builds(Waiver, id=TEXT, owner=TEXT, reason=TEXT, expires=st.dates()),
            waived=st.booleans(),
        ),
        max_size=2,
    ).map(tuple),
    facts=st.dictionaries(TEXT, TEXT | st.integers() | st.booleans() | st.floats(allow_nan=False), max_size=3),
    cases=st.lists(
        st.builds(
            Case,
            name=TEXT,
            suite=TEXT,
            status=TEXT,
            duration_s=st.floats(allow_nan=False),
            message=st.none() | TEXT,
            detail=st.none() | TEXT,
            path=st.none() | TEXT,
            line=st.none() | st.integers(),
            flaky=st.booleans(),
        ),
        max_size=2,
    ).map(tuple),
    warn=st.booleans(),
    warning=st.none() | TEXT,
)


@given(CHECKS)
def test_a_check_survives_json(check: Check) -> None:
    from pathlib import Path

    assert check_from_json(json.loads(json.dumps(check_to_json(check))), Path("/nowhere")) == check


def restoring(project: Project, folder: Path, *, source: Source = SNAPSHOT, now: dt.datetime = NOW, **environ: str) -> RestoreInputs:
    def no_client() -> Any:
        raise AssertionError("nobody asks for a client")

    folder.mkdir(exist_ok=True)
    context = StepContext(id="a.b", run_id="run-2", folder=folder)
    return RestoreInputs(project=project, source=source, context=context, environ=environ, now=now, client=no_client)


@pytest.fixture
def scanned(tmp_path: Path) -> tuple[Project, Check]:
    """A project whose scan has passed, and what it gave."""
    waiver = Waiver(id="CVE-2026-0001", owner="team", reason="r", expires=NOW.date() + dt.timedelta(days=30))
    project = project_with(root=tmp_path, scan=ScanSpec(waivers=(waiver,)), locked={"trivy-db": DATABASE})
    (tmp_path / "a.b").mkdir()
    (tmp_path / "a.b" / "trivy.json").write_text(json.dumps(REPORT))
    facts: dict[str, str | int | float | bool] = {
        "database_digest": "sha256:abc",
        "database_fixture": False,
        "database_updated": "2026-06-14T12:00:00+00:00",
    }
    return project, Check(verdict=Verdict.PASS, facts=facts, artifacts=(str(tmp_path / "a.b" / "trivy.json"),))


async def rescanned(scanned: tuple[Project, Check], tmp_path: Path, spec: ScanSpec | None = None, days: int = 0) -> Check | None:
    project, check = scanned
    then = next(iter(project.steps["scan"].values()))
    kept = ScanKeeper(then, "shop").keep(check, project, SNAPSHOT)
    assert kept is not None
    now = changed(project, scan=spec or then)
    again = json.loads(json.dumps(kept))
    return await ScanKeeper(spec or then, "shop").restore(again, restoring(now, tmp_path / "a.b", now=NOW + dt.timedelta(days=days)))


async def test_a_scan_is_judged_with_the_waivers_and_the_day_of_now(scanned: tuple[Project, Check], tmp_path: Path) -> None:
    check = await rescanned(scanned, tmp_path)
    assert check is not None
    assert (check.verdict, check.facts["waived"], check.facts["database_age_days"]) == (Verdict.PASS, 1, 1)
    assert await rescanned(scanned, tmp_path, ScanSpec()) is None, "its waiver is gone"
    assert await rescanned(scanned, tmp_path, days=6) is not None
    assert await rescanned(scanned, tmp_path, days=8) is None, "its database is too old"
    long = next(iter(scanned[0].steps["scan"].values()))
    assert await rescanned(scanned, tmp_path, dataclasses.replace(long, max_age_days=99), days=31) is None, "its waiver has expired"


async def test_a_scan_with_another_database_works(scanned: tuple[Project, Check], tmp_path: Path) -> None:
    project, check = scanned
    other = dataclasses.replace(project, locked={"trivy-db": dataclasses.replace(DATABASE, reference="h/db@sha256:def")})
    spec = next(iter(project.steps["scan"].values()))
    kept = ScanKeeper(spec, "shop").keep(check, project, SNAPSHOT)
    assert kept is not None
    assert await ScanKeeper(spec, "shop").restore(kept, restoring(other, tmp_path / "a.b")) is None


@pytest.mark.parametrize("verdict", [Verdict.FAIL, Verdict.NO_DATA, Verdict.ERROR])
def test_what_did_not_pass_is_not_kept(verdict: Verdict, tmp_path: Path) -> None:
    project, check = project_with(root=tmp_path), Check(verdict=verdict)
    spec = TestSpec(name="unit", image=ImageTarget(name="shop"), command=("true",))
    assert CheckOfTestKeeper(spec).keep(check, project, SNAPSHOT) is None
    assert MeasurementKeeper().keep(check, project, SNAPSHOT) is None
    assert ScanKeeper(ScanSpec(), None).keep(check, project, SNAPSHOT) is None


def test_a_test_with_secrets_is_not_kept(tmp_path: Path) -> None:
    spec = TestSpec(name="unit", image=ImageTarget(name="shop"), command=("true",), secrets={"TOKEN": SecretRef("env://TOKEN")})
    assert CheckOfTestKeeper(spec).keep(Check(verdict=Verdict.PASS), project_with(root=tmp_path), SNAPSHOT) is None


async def test_a_measurement_says_once_when_it_was_made(tmp_path: Path) -> None:
    project, check = project_with(root=tmp_path), Check(verdict=Verdict.PASS, facts={"measured_at": "2026-06-01"})
    for _ in range(2):
        kept = MeasurementKeeper().keep(check, project, SNAPSHOT)
        assert kept is not None
        again = await MeasurementKeeper().restore(kept, restoring(project, tmp_path / "a.b"))
        assert again is not None
        assert again.reason == "measured at 2026-06-01"
        check = again


def built(**more: Any) -> BuiltImage:
    def no_containers() -> Any:
        raise AssertionError("nobody asks for a container")

    return BuiltImage(name="shop", containers=no_containers, **more)


async def test_an_image_is_a_handle_that_asks_for_no_client(tmp_path: Path) -> None:
    spec = ImageSpec(name="shop", base="h/base:1@sha256:abc", labels={"a": "b"})
    (tmp_path / "Dockerfile").write_text("FROM scratch\n")
    project = project_with(root=tmp_path, images={"shop": spec})
    kept = ImageKeeper(spec, ()).keep(built(), project, SNAPSHOT)
    assert kept == {}
    image = await ImageKeeper(spec, ()).restore(kept, restoring(project, tmp_path / "a.b"))
    assert image is not None
    assert (image.base, image.origin, image.version, image.labels["a"]) == ("h/base:1@sha256:abc", "reference", "0.0.0", "b")
    with pytest.raises(AssertionError, match="asks for a client"):
        image.targets.get("test")


@pytest.mark.parametrize(
    ("image", "secret", "kept"),
    [
        (built(), "env://TOKEN", True),
        (built(), "cmd://pass show", False),
        (built(found="sha256:1"), "file://token", False),
        (built(platforms=("linux/amd64",)), "file://token", False),
        (None, "file://token", False),
    ],
)
def test_which_images_are_kept(image: BuiltImage | None, secret: str, kept: bool, tmp_path: Path) -> None:
    spec = ImageSpec(name="shop", secrets={"token": SecretRef(secret)})
    assert (ImageKeeper(spec, ()).keep(image, project_with(root=tmp_path), SNAPSHOT) is not None) is kept


@pytest.fixture
def published(server: Server, tmp_path: Path) -> tuple[Project, PublishedImage]:
    body = manifest()
    server.say(200, body)
    registry = Registry(url=f"{server.address}/team", username="bot", auth=SecretRef("env://PASSWORD"))
    project = project_with(root=tmp_path, registry=registry, publish=PublishSpec())
    digest = f"sha256:{hashlib.sha256(body).hexdigest()}"
    return project, PublishedImage(name="shop", repository=f"{server.address}/team/shop", digest=digest, tags=("0.0.0",))


async def republished(given: tuple[Project, PublishedImage], tmp_path: Path, project: Project | None = None, **more: Any) -> object:
    keeper = PublishedImageKeeper(PublishSpec(), "shop")
    kept = keeper.keep(given[1], given[0], SNAPSHOT)
    assert kept is not None
    return await keeper.restore(kept, restoring(project or given[0], tmp_path / "a.b", PASSWORD="word", **more))


async def test_what_the_registry_has_as_it_should_be_is_taken_over(published: tuple[Project, PublishedImage], tmp_path: Path) -> None:
    assert await republished(published, tmp_path) == published[1]


async def test_the_credentials_of_the_project_are_used(published: tuple[Project, PublishedImage], server: Server, tmp_path: Path) -> None:
    body = manifest()
    server.rule = lambda _path, headers: (
        (200, {}, body) if headers.get("authorization") == "Basic Ym90OndvcmQ=" else (401, {"WWW_Authenticate": "Basic"}, b"")
    )
    assert await republished(published, tmp_path) == published[1]


async def test_a_tag_that_names_another_digest_is_published_again(
    published: tuple[Project, PublishedImage], server: Server, tmp_path: Path
) -> None:
    server.say(200, manifest(other=1))
    assert await republished(published, tmp_path) is None


async def test_another_place_and_a_release_are_published_again(published: tuple[Project, PublishedImage], tmp_path: Path) -> None:
    moved = dataclasses.replace(published[0], registry=Registry(url="elsewhere/team"))
    assert await republished(published, tmp_path, moved) is None
    assert await republished(published, tmp_path, source=dataclasses.replace(SNAPSHOT, version="1.0.0", revision="ab" * 20)) is None


def test_a_release_and_credentials_only_the_engine_can_read_are_not_kept(published: tuple[Project, PublishedImage]) -> None:
    project, image = published
    keeper = PublishedImageKeeper(PublishSpec(), "shop")
    assert keeper.keep(image, project, dataclasses.replace(SNAPSHOT, version="1.0.0", revision="ab" * 20)) is None
    command = dataclasses.replace(project, registry=Registry(url="h/team", auth=SecretRef("cmd://pass")))
    assert keeper.keep(image, command, SNAPSHOT) is None
