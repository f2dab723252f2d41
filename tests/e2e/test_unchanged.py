"""A run in which nothing changed: what its process imports, what it starts, and what makes it work again."""

from __future__ import annotations

import json
import subprocess
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pathlib import Path

    from tests.e2e.conftest import Checkout, Ended

pytestmark = [pytest.mark.engine, pytest.mark.root, pytest.mark.registry, pytest.mark.timeout(600)]

SPY = """
import json, subprocess, sys
started, popen = [], subprocess.Popen.__init__
sys.addaudithook(lambda name, args: started.append(str(args[1])) if name == "subprocess.Popen" else None)
from pipelines.__main__ import main
code = main(["run"])
known = {"dagger", "graphql", "gql", "httpx", "cattrs", "opentelemetry", "pydantic"}
heavy = sorted({name.partition(".")[0] for name in sys.modules} & known)
print("SPY " + json.dumps([code, heavy, [one for one in started if "embedded" in one]]))
"""


def spied(shop: Checkout) -> tuple[int, list[str], list[str]]:
    """Run the shop in a process that tells its exit code, which heavy modules it imported, and which engines it started."""
    command = [shop.command()[0], "-c", SPY]
    done = subprocess.run(command, cwd=shop.root, env=dict(shop.environ), capture_output=True, text=True, check=False, timeout=300)
    code, heavy, engines = json.loads(done.stdout.rpartition("SPY ")[2])
    return code, heavy, engines


def test_an_unchanged_run_imports_no_dagger_and_starts_no_engine(built: tuple[Path, Ended], shop: Checkout) -> None:
    assert built[1].code == 0, built[1].stderr
    assert spied(shop) == (0, [], [])
    again = shop.run()
    assert again.code == 0, again.stderr
    run_id = built[1].document["run"]["id"]
    assert again.document["run"]["engine"] is None
    assert {step["unchanged_since"] for step in again.document["steps"]} == {run_id}
    assert again.document["images"] == built[1].document["images"]


def test_a_step_that_must_work_starts_the_engine_and_finds_the_image_there(shop: Checkout) -> None:
    shop.add("tests/unit/test_carts.py", "\n\ndef test_of_arithmetic() -> None:\n    assert 1 + 1 == 2\n")
    ended = shop.run("test")
    assert ended.code == 0, ended.stderr
    assert ended.document["run"]["engine"]["kind"] == "embedded"
    steps = ended.steps
    assert steps["image.shop"]["unchanged_since"] is not None
    assert (steps["test.unit"]["unchanged_since"], steps["test.unit"]["cached"], steps["test.unit"]["status"]) == (None, False, "passed")


def test_a_step_in_python_touches_an_unchanged_image(shop: Checkout) -> None:
    shop.add(
        "lockgate.py",
        "from __future__ import annotations\nfrom pipelines import BuiltImage, pipeline\n\n\n@pipeline.step\n"
        "async def user(image_shop: BuiltImage) -> str:\n    return await image_shop.container.user()\n\n\n"
        "@pipeline.step\nasync def name(image_shop: BuiltImage) -> str:\n    return image_shop.name\n\n\n"
        "@pipeline.step\nasync def own(image_shop: BuiltImage) -> str:\n    from dagger import dag\n\n    return await dag.version()\n",
    )
    ended = shop.run("step")
    assert ended.code == 0, ended.stderr
    assert ended.steps["image.shop"]["unchanged_since"] is not None
    assert {ended.steps[f"step.{name}"]["status"] for name in ("user", "name", "own")} == {"passed"}


def test_fresh_makes_every_step_work(shop: Checkout) -> None:
    ended = shop.run("--fresh", "test.unit")
    assert ended.code == 0, ended.stderr
    assert ended.document["run"]["engine"]["kind"] == "embedded"
    assert (ended.steps["test.unit"]["cached"], ended.steps["test.unit"]["unchanged_since"]) == (False, None)
    assert shop.run("test.unit").document["run"]["engine"] is None


def test_what_the_registry_lacks_is_published_out_of_an_unchanged_image(shop: Checkout, registry: str) -> None:
    ended = shop.run(LOCKGATE_REGISTRY_URL=f"{registry}/e2e-elsewhere-{shop.root.parent.name}")
    assert ended.code == 0, ended.stderr
    worked = {name for name, step in ended.steps.items() if step["unchanged_since"] is None}
    assert worked == {"publish.shop"}
    assert ended.document["images"][0]["published"]


def test_another_threshold_judges_a_scan_again_without_an_engine(shop: Checkout) -> None:
    ended = shop.run("scan", LOCKGATE_SCAN_FAIL_ON="critical")
    assert ended.code == 0, ended.stderr
    assert ended.document["run"]["engine"] is None
