"""Clients that come and go: at once, or in the middle of work."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.faults.engine import Engines

pytestmark = [pytest.mark.engine, pytest.mark.root]

CLIENT = """
import asyncio, sys, dagger
async def main():
    async with dagger.connection(dagger.Config(log_output=sys.stderr)):
        base = dagger.dag.container().from_(sys.argv[1])
        print(await base.with_exec(["sh", "-c", "echo first; date +%s%N"]).stdout(), flush=True)
        await base.with_exec(["sh", "-c", "echo begun >&2; sleep 1000"]).sync()
asyncio.run(main())
"""


@pytest.mark.parametrize("delay", [0, 0.05, 0.1, 0.2, 0.4])
def test_a_session_that_ends_at_once_ends_quietly(engines: Engines, delay: float) -> None:
    engine = engines.start()
    time.sleep(delay)  # the moment
    assert engine.close() == 0
    assert engine.said == ""


@pytest.mark.parametrize("signum", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
async def test_a_client_that_is_stopped_midway_leaves_nothing_running_and_its_results_to_the_next(
    engines: Engines, image: str, signum: signal.Signals
) -> None:
    program = Path(sys.executable).parent / "lockgate-engine"
    environ = {**os.environ, "LOCKGATE_STORE": str(engines.store), "_EXPERIMENTAL_DAGGER_CLI_BIN": str(program)}
    pipe = asyncio.subprocess.PIPE
    client = await asyncio.create_subprocess_exec(sys.executable, "-c", CLIENT, image, env=environ, stdout=pipe, stderr=pipe)
    assert client.stdout is not None
    assert client.stderr is not None
    first = (await client.stdout.readuntil(b"\n\n")).decode()
    while "begun" not in (line := (await client.stderr.readline()).decode()) or not line.startswith("|"):
        assert line
    client.send_signal(signum)
    rest = (await asyncio.wait_for(client.stderr.read(), 30)).decode()  # to its end: the engine writes there too, and is gone
    await client.wait()
    assert client.returncode != 0
    assert "pipelines/engine" not in rest  # the client may show a traceback of its own
    async with engines.start().client() as again:
        stamped = again.container().from_(image).with_exec(["sh", "-c", "echo first; date +%s%N"])
        assert await stamped.stdout() == first.removesuffix("\n")
