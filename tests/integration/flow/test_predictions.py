"""What `plan --explain` says against what the run after it does."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from pipelines.model import LockedImage, Status
from pipelines.steps.common.service_spec import ServiceSpec
from pipelines.steps.image.spec import ImageTarget
from pipelines.steps.test.spec import TestSpec

if TYPE_CHECKING:
    from tests.integration.flow.conftest import Site

pytestmark = [pytest.mark.engine, pytest.mark.root, pytest.mark.registry]

DOCKERFILE = """
ARG BASE
FROM ${BASE} AS app
COPY app /app
RUN python3 -m compileall -q /app
FROM app AS test
COPY tests /tests
"""


@pytest.fixture
def shop(site: Site) -> Site:
    site.write("Dockerfile", DOCKERFILE)
    site.write(".dockerignore", "*.md\n")
    site.write("app/main.py", "x = 1\n")
    site.write("tests/check.sh", "grep -q 'x = ' /app/main.py\n")
    target = ImageTarget(name="app", target="test")
    served = ServiceSpec(image="app", port=8000, command=("python3", "-m", "http.server", "8000"))
    site.settings["tests"] = {
        "unit": TestSpec(name="unit", image=target, command=("sh", "/tests/check.sh")),
        "served": TestSpec(name="served", image=target, command=("true",), services={"web": served}),
    }
    return site


async def outcome(shop: Site, **changed: str) -> tuple[dict[str, str], dict[str, str]]:
    """What was said, and what came: `cached`, `runs`, or `failed`."""
    said = shop.predict()
    run = await shop.run()
    came = {one.id: "cached" if one.cached else "runs" if one.status is Status.PASSED else one.status.value for one in run.results}
    return said, came


def all_of(image: str, unit: str, served: str) -> dict[str, str]:
    return {"image.app": image, "test.unit": unit, "test.served": served}


@pytest.mark.timeout(240)
async def test_every_prediction_comes_true(shop: Site) -> None:
    nothing, everything = all_of("cached", "cached", "cached"), all_of("runs", "runs", "runs")
    assert await outcome(shop) == (everything, everything)
    assert await outcome(shop) == (nothing, nothing)

    shop.write("README.md", "ignored\n")
    assert await outcome(shop) == (nothing, nothing)

    shop.write("tests/more.sh", "true\n")  # a service is known by its recipe, of which the whole context is part
    assert await outcome(shop) == (expected := all_of("cached", "runs", "runs"), expected)

    shop.write("app/main.py", "x = 2\n")
    assert await outcome(shop) == (everything, everything)

    unit = shop.settings["tests"]["unit"]
    shop.settings["tests"]["unit"] = replace(unit, env={"DEBUG": "1"})
    assert await outcome(shop) == (expected := all_of("cached", "runs", "cached"), expected)

    shop.settings["tests"]["unit"] = replace(unit, command=("sh", "-c", "exit 3"))
    said, came = await outcome(shop)
    assert (said, came) == (all_of("cached", "runs", "cached"), all_of("cached", "failed", "cached"))
    assert (await outcome(shop))[0]["test.unit"] == "runs"


@pytest.mark.timeout(120)
async def test_another_reference_of_the_base_is_another_base(shop: Site) -> None:
    reference = shop.locked["python"].reference
    name = reference.partition("@")[0]
    shop.settings["tests"] = {}
    shop.locked = {"python": LockedImage(name="python", reference=reference, origin="built")}
    await shop.run()
    assert shop.predict() == {"image.app": "cached"}
    shop.locked = {"python": LockedImage(name="python", reference=name, origin="built")}
    assert shop.predict() == {"image.app": "runs"}
