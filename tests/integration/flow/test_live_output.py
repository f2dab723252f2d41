"""What a running command prints is seen while it runs, and is what is left of one that never ends."""

from __future__ import annotations

import signal
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from pipelines.flow.stop import Stop
from pipelines.model import Status
from pipelines.steps.common.service_spec import ServiceSpec
from pipelines.steps.image.spec import ImageTarget
from pipelines.steps.test.spec import TestSpec
from tests.integration.flow.conftest import LiveOutput

if TYPE_CHECKING:
    from pipelines.model import Result, Run
    from tests.integration.flow.conftest import Site

pytestmark = [pytest.mark.engine, pytest.mark.root, pytest.mark.registry, pytest.mark.timeout(120)]

HANGS = """
from __future__ import annotations
from pipelines import BuiltImage, pipeline

@pipeline.step(timeout="{timeout}")
async def hangs(image_app: BuiltImage) -> None:
    await image_app.container.with_exec(["sh", "-c", "echo one; echo two >&2; printf 'test_b ..'; sleep 1000"]).stdout()

@pipeline.step
async def talks(image_app: BuiltImage) -> None:
    await image_app.container.with_exec(["sh", "-c", "echo mine"]).stdout()
"""


@pytest.fixture
def talking(site: Site) -> Site:
    site.write("Dockerfile", "ARG BASE\nFROM ${BASE} AS app\nRUN echo from the Dockerfile\n")
    site.write("lockgate.py", HANGS.replace("{timeout}", "4s"))
    return site


def step(run: Run, step_id: str) -> Result:
    return next(result for result in run.results if result.id == step_id)


async def test_a_step_that_hangs_says_what_it_printed_last(talking: Site) -> None:
    run = await talking.run()
    hangs = step(run, "step.hangs")
    assert hangs.status is Status.FAILED
    assert set(hangs.tail[:3]) == {"one", "two", "test_b .."}
    assert "stopped after its limit of 4s" in hangs.tail[3]
    assert hangs.log is not None
    assert "test_b ..\n" in Path(hangs.log).read_text()
    assert ("step.hangs", "test_b ..") in talking.sink.unfinished
    assert ("image.app", "from the Dockerfile") in talking.sink.lines
    assert ("step.talks", "mine") in talking.sink.lines
    assert not any("mine" in text for text in talking.sink.engine)
    assert run.folder is not None
    assert "| mine\n" in (Path(run.folder) / "logs" / "engine.log").read_text()


async def test_a_step_that_is_stopped_says_what_it_printed_last(talking: Site) -> None:
    talking.write("lockgate.py", HANGS.replace("{timeout}", "1h"))
    stop = Stop()

    class Stopper(LiveOutput):
        """Stops the run when the line that hangs is seen."""

        def step_progress(self, step_id: str, line: str, *, whole: bool) -> None:
            super().step_progress(step_id, line, whole=whole)
            if not whole:
                stop.request(signal.SIGINT)

    talking.sink = Stopper()
    run = await talking.run("step.hangs", stop=stop)
    assert run.exit_code == 128 + signal.SIGINT
    hangs = step(run, "step.hangs")
    assert hangs.status is Status.CANCELLED
    assert hangs.tail[-1] == "test_b .."


async def test_a_service_that_never_gets_ready_says_what_it_printed(site: Site) -> None:
    site.write("Dockerfile", "ARG BASE\nFROM ${BASE} AS app\n")
    stuck = ServiceSpec(image="app", port=8000, command=("sh", "-c", "echo waiting for the moon; sleep 1000"), deadline_s=2)
    site.settings["tests"] = {"x": TestSpec(name="x", image=ImageTarget(name="app"), command=("true",), services={"web": stuck})}
    run = await site.run()
    result = step(run, "test.x")
    assert result.status is Status.FAILED
    assert "did not open port 8000" in str(result.reason)
    assert "web: waiting for the moon" in result.tail
    assert ("test.x", "web: waiting for the moon") in site.sink.lines
