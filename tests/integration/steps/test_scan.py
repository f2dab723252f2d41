from __future__ import annotations

import dataclasses
import datetime as dt
import json
from typing import TYPE_CHECKING, Any

import anyio
import pytest

from pipelines.errors import RegistryUnavailable, Unavailable
from pipelines.model import LockedImage, OnInconclusive, Severity, Verdict, Waiver
from pipelines.steps.scan import run as scan
from pipelines.steps.scan.spec import ScanSpec

if TYPE_CHECKING:
    from pipelines.model import BuiltImage, Check
    from pipelines.steps.common.step_inputs import StepInputs
    from tests.integration.steps.conftest import Workshop

pytestmark = [pytest.mark.engine, pytest.mark.root, pytest.mark.registry, pytest.mark.asyncio(loop_scope="module")]

EVERYWHERE = "LOCKGATE-2026-0004"  # what the fixture database says of a package that is in every Debian 12
FAR = dt.date(9999, 1, 1)


@pytest.fixture(autouse=True)
def made_up(workshop: Workshop) -> None:
    if not workshop.locked["trivy-db"].fixture:
        pytest.skip("needs the made-up database: its findings are what these tests expect")


@pytest.fixture
async def image(workshop: Workshop) -> BuiltImage:
    return await workshop.image("ARG BASE\nFROM $BASE\n")


def spec(**more: Any) -> ScanSpec:
    return ScanSpec(**{"allow_fixture_database": True, **more})


def waiver(days: int) -> Waiver:
    return Waiver(id=EVERYWHERE, owner="team-shop", reason="r", expires=dt.datetime.now(dt.UTC).date() + dt.timedelta(days=days))


async def look(workshop: Workshop, image: BuiltImage | None, what: ScanSpec, **more: Any) -> tuple[Check, StepInputs]:
    given = workshop.given("scan.shop", images=(image,) if image else (), **more)
    return await scan.step(what, image.name if image else None, given), given


async def test_an_image_is_scanned_once_and_the_facts_say_with_what(workshop: Workshop, nonce: str) -> None:
    image = await workshop.image(f"ARG BASE\nFROM $BASE\nRUN echo {nonce} > /nonce\n")
    for cached in (False, True):
        check, given = await look(workshop, image, spec())
        assert (check.verdict, given.context.cached) == (Verdict.PASS, cached)
        assert [finding.rule for finding in check.findings] == [EVERYWHERE]
        assert str(check.facts["system"]).startswith("debian 12")
        assert check.facts["database_fixture"] is True
        assert check.facts["database_digest"] == workshop.locked["trivy-db"].reference.partition("@")[2]
        assert json.loads((given.context.folder / "trivy.json").read_text())["ArtifactType"] == "container_image"


async def test_the_threshold_and_a_failure_that_is_looked_at_again(workshop: Workshop, image: BuiltImage) -> None:
    first, _ = await look(workshop, image, spec(fail_on=Severity.LOW))
    again, given = await look(workshop, image, spec(fail_on=Severity.LOW))
    assert first.verdict is again.verdict is Verdict.FAIL
    assert f"{EVERYWHERE} (low)" in str(first.reason)
    assert not given.context.cached
    assert given.context.used_attempt == given.context.run_id


@pytest.mark.parametrize(
    ("days", "verdict", "says"),
    [(100, Verdict.PASS, ""), (3, Verdict.PASS, "of team-shop ends on"), (-1, Verdict.FAIL, "of team-shop expired on")],
)
async def test_waivers(workshop: Workshop, image: BuiltImage, days: int, verdict: Verdict, says: str) -> None:
    check, _ = await look(workshop, image, spec(fail_on=Severity.LOW, waivers=(waiver(days),)))
    assert check.verdict is verdict
    assert says in (check.reason or "")


async def test_a_fixture_is_no_evidence_unless_allowed(workshop: Workshop, image: BuiltImage) -> None:
    check, _ = await look(workshop, image, ScanSpec())
    assert (check.verdict, check.warn) == (Verdict.NO_DATA, False)
    warned, given = await look(workshop, image, ScanSpec(on_inconclusive=OnInconclusive.WARN))
    assert (warned.verdict, warned.warn) == (Verdict.NO_DATA, True)
    assert given.context.used_attempt is None


async def test_without_a_database(workshop: Workshop, image: BuiltImage) -> None:
    check, _ = await look(workshop, image, spec(database=None))
    assert (check.verdict, check.facts) == (Verdict.NO_DATA, {"database": "none"})
    with pytest.raises(Unavailable, match="scan needs the image 'trivy-dbx'"):
        await look(workshop, image, spec(database="trivy-dbx"))
    gone = LockedImage(name="trivy-db", reference="localhost:1/trivy-db@sha256:" + "0" * 64, origin="built")
    with pytest.raises(RegistryUnavailable, match="scan shop: the registry localhost:1 does not answer"):
        await look(workshop, image, spec(), locked={**workshop.locked, "trivy-db": gone})


async def test_an_image_that_is_no_database_is_told(workshop: Workshop, image: BuiltImage) -> None:
    other = dataclasses.replace(workshop.locked["k6"], name="trivy-db")
    with pytest.raises(Unavailable, match="does not contain a vulnerability database"):
        await look(workshop, image, spec(), locked={**workshop.locked, "trivy-db": other})


async def test_a_program_that_is_no_trivy_is_told(workshop: Workshop, image: BuiltImage) -> None:
    other = dataclasses.replace(workshop.locked["k6"], name="trivy")
    with pytest.raises(Exception, match="trivy"):
        await look(workshop, image, spec(), locked={**workshop.locked, "trivy": other})


async def test_a_secret_in_the_environment_of_an_image(workshop: Workshop) -> None:
    image = await workshop.image(f"ARG BASE\nFROM $BASE\nENV ACCESS_KEY=AKIA{'IOSFODNN7ABCDEFG'}\n")
    check, _ = await look(workshop, image, spec())
    assert check.verdict is Verdict.FAIL
    assert "aws-access-key-id" in [finding.rule for finding in check.findings]


async def test_sources(workshop: Workshop, nonce: str) -> None:
    workshop.write(
        requirements_dot_txt="lockgate-fixture-vulnerable==1.0.0\n",
        Dockerfile=f"FROM debian:latest\nRUN apt-get update # {nonce}\n",
        _dot_gitignore="ignored/\n",
        ignored__requirements_dot_txt="lockgate-fixture-vulnerable==0.9.0\n",
        _dot_venv__requirements_dot_txt="lockgate-fixture-vulnerable==0.8.0\n",
    )
    check, _ = await look(workshop, None, spec(fail_on=Severity.CRITICAL))
    assert check.verdict is Verdict.FAIL
    found = {finding.rule: finding for finding in check.findings}
    assert len(check.findings) == len(found)
    assert found["LOCKGATE-2026-0005"].location.path == "requirements.txt"
    assert found["LOCKGATE-2026-0005"].remedy == "update lockgate-fixture-vulnerable to 2.0.0"
    assert (found["DS001"].location.path, found["DS001"].location.line) == ("Dockerfile", 1)


async def test_scans_run_side_by_side(workshop: Workshop, image: BuiltImage, nonce: str) -> None:
    workshop.write(requirements_dot_txt=f"# {nonce}\n")
    checks: list[Check] = []

    async def one(what: BuiltImage | None) -> None:
        checks.append((await look(workshop, what, spec(fail_on=Severity.CRITICAL)))[0])

    async with anyio.create_task_group() as group:
        for what in (image, None, image):
            group.start_soon(one, what)
    assert [check.verdict for check in checks] == [Verdict.PASS] * 3
