"""The whole job on the sample service: build, test, scan, measure, publish."""

from __future__ import annotations

import contextlib
import json
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree as ET

import httpx
import pytest

from tests.e2e.conftest import Checkout

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.e2e.conftest import Ended

pytestmark = [pytest.mark.engine, pytest.mark.root, pytest.mark.registry, pytest.mark.timeout(300)]

STEPS = ["image.shop", "test.unit", "test.integration", "scan.shop", "scan.sources", "perf.checkout", "publish.shop"]


def reports(root: Path) -> dict[str, str]:
    folder = root / ".lockgate/reports"
    return {path.name: path.read_text() for path in folder.iterdir() if path.is_file()}


def test_everything_passes_and_the_document_says_so(built: tuple[Path, Ended]) -> None:
    root, first = built
    assert first.code == 0, first.stderr
    document = first.document
    assert document["schema"] == 1
    assert document["run"]["project"] == "shop"
    assert document["run"]["engine"]["kind"] == "embedded"
    assert document["run"]["exit_code"] == 0
    assert [(step["id"], step["status"], step["verdict"]) for step in document["steps"]] == [(step, "passed", "pass") for step in STEPS]
    (image,) = document["images"]
    assert image["published"]
    assert image["digest"] in image["ref"]
    assert first.steps["perf.checkout"]["facts"]["requests"] > 100
    assert first.steps["scan.shop"]["facts"]["packages"] > 50
    assert {"junit.xml"} <= set(reports(root))


def test_what_was_published_is_in_the_registry_with_its_labels(built: tuple[Path, Ended]) -> None:
    (image,) = built[1].document["images"]
    host, _, name = image["ref"].partition("@")[0].partition("/")
    repository = name.rpartition(":")[0]
    manifest = httpx.get(
        f"http://{host}/v2/{repository}/manifests/{image['digest']}", headers={"Accept": "application/vnd.oci.image.manifest.v1+json"}
    )
    assert manifest.headers["Docker-Content-Digest"] == image["digest"]
    config = httpx.get(f"http://{host}/v2/{repository}/blobs/{manifest.json()['config']['digest']}").json()["config"]
    assert config["Labels"]["org.opencontainers.image.title"] == "shop"
    assert config["Labels"]["org.opencontainers.image.base.digest"].startswith("sha256:")
    assert config["User"] not in {"", "0", "root"}
    assert config["Entrypoint"] == ["python", "-m", "shop"]


def test_the_same_again_is_cached_and_gives_the_same_digest(built: tuple[Path, Ended], shop: Checkout) -> None:
    again = shop.run()
    assert again.code == 0, again.stderr
    assert {step["id"] for step in again.document["steps"] if not step["cached"]} == set()
    assert again.document["images"] == built[1].document["images"]
    first = built[1].steps["perf.checkout"]["facts"]
    assert again.steps["perf.checkout"]["facts"] == first
    assert again.steps["perf.checkout"]["reason"] == f"measured at {first['measured_at']}"


def test_a_broken_test_fails_the_run_and_is_run_again_when_asked_again(shop: Checkout) -> None:
    shop.add("tests/unit/test_carts.py", "\n\ndef test_of_arithmetic() -> None:\n    assert 1 + 1 == 3\n")
    for _ in range(2):
        ended = shop.run("test", "publish")
        assert ended.code == 1
        unit = ended.steps["test.unit"]
        assert (unit["status"], unit["verdict"], unit["cached"]) == ("failed", "fail", False)
        assert "test_of_arithmetic" in unit["reason"]
        assert ended.steps["publish.shop"]["status"] == "blocked"
        assert ended.steps["test.integration"]["status"] == "passed"
        junit = ET.fromstring(reports(shop.root)["junit.xml"])
        broken = [case.get("name") for case in junit.iter("testcase") if case.find("failure") is not None]
        assert broken == ["test_of_arithmetic"]
        assert "lockgate run test.unit" in ended.stderr or "-m pipelines run test.unit" in ended.stderr


def test_an_expired_waiver_fails_and_names_its_owner(shop: Checkout) -> None:
    shop.add("lockgate.toml", '\n[[scan.waivers]]\nid = "CVE-2020-0001"\nowner = "team-shop"\nreason = "old"\nexpires = 2020-01-31\n')
    ended = shop.run("scan.shop")
    assert ended.code == 1
    assert ended.steps["scan.shop"]["reason"] == "the waiver for CVE-2020-0001 of team-shop expired on 2020-01-31"


def test_a_fixture_database_is_no_evidence_unless_allowed(shop: Checkout, images: dict[str, Any]) -> None:
    if not images["trivy-db"]["fixture"]:
        pytest.skip("this machine has a real database")
    shop.edit("lockgate.local.toml", "allow_fixture_database = true", "allow_fixture_database = false")
    ended = shop.run("scan.shop")
    assert ended.code == 1
    assert ended.steps["scan.shop"]["verdict"] == "no-data"
    assert "made up" in ended.steps["scan.shop"]["reason"]


def test_no_registry_is_unavailable_within_half_a_minute(shop: Checkout, registry: str) -> None:
    local = tomllib.loads((shop.root / "lockgate.local.toml").read_text())["registry"]["url"]
    shop.edit("lockgate.local.toml", f'url = "{local}"', 'url = "localhost:1"')
    ended = shop.run(timeout_s=30)
    assert ended.code == 4
    publish = ended.steps["publish.shop"]
    assert (publish["status"], publish["error_kind"]) == ("error", "unavailable")
    assert "the registry localhost:1 does not answer" in publish["reason"]
    assert ended.steps["perf.checkout"]["status"] == "passed"


@contextlib.contextmanager
def session(environ: dict[str, str]) -> Iterator[dict[str, str]]:
    """An engine somebody else opened: what a command under it sees."""
    program = Path(sys.executable).parent / "lockgate-engine"
    with subprocess.Popen(
        [program, "session"], env=environ, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    ) as engine:
        assert engine.stdin is not None
        assert engine.stdout is not None
        said = json.loads(engine.stdout.readline())
        yield {"DAGGER_SESSION_PORT": str(said["port"]), "DAGGER_SESSION_TOKEN": said["session_token"]}
        engine.stdin.close()


def test_in_a_session_somebody_else_opened_the_outcome_is_the_same(shop: Checkout, environ: dict[str, str]) -> None:
    alone = shop.run()
    with session(environ) as given:
        inside = Checkout(shop.root, {**environ, **given, "LOCKGATE_ENGINE": "auto"}).run()
    assert inside.code == alone.code == 0

    def outcome(ended: Ended) -> list[tuple[Any, ...]]:
        return [(step["id"], step["status"], step["verdict"], step["findings"]) for step in ended.document["steps"]]

    assert outcome(inside) == outcome(alone)
    assert "session" in inside.document["run"]["engine"]["reason"]


def test_a_copy_needs_nothing_of_the_first_ones_folder(built: tuple[Path, Ended], shop: Checkout) -> None:
    shutil.rmtree(shop.root / ".lockgate/runs", ignore_errors=True)
    (shop.root / ".lockgate/state.json").unlink(missing_ok=True)
    assert shop.run("image").steps["image.shop"]["cached"]
