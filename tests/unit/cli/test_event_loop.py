"""The event loop of a run ends, also where a step of the project left a task or a thread that does not."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import time

import anyio.lowlevel
import pytest

from pipelines.cli.event_loop import run_on_own_loop


async def answer() -> int:
    await asyncio.to_thread(time.sleep, 0)
    await anyio.lowlevel.checkpoint()
    return 42


def test_it_runs_a_coroutine_and_closes() -> None:
    loops: list[asyncio.AbstractEventLoop] = []

    async def main() -> int:
        loops.append(asyncio.get_running_loop())
        return await answer()

    assert run_on_own_loop(main) == 42
    assert loops[0].is_closed()


def test_an_error_comes_through() -> None:
    async def main() -> None:
        raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        run_on_own_loop(main)


def test_tasks_that_are_left_are_cancelled() -> None:
    ended: list[str] = []

    async def left() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            ended.append("yes")

    tasks: list[asyncio.Task[None]] = []

    async def main() -> None:
        tasks.append(asyncio.create_task(left()))
        await asyncio.sleep(0)

    run_on_own_loop(main)
    assert ended == ["yes"]


LEFT = """
import asyncio, os, threading
from pipelines.cli.event_loop import run_on_own_loop

async def stubborn():
    while True:
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            pass

async def main():
    keep.append(asyncio.create_task({left}))
    await asyncio.sleep(0.05)
    return 7

keep = []
code = run_on_own_loop(main)
print("written", flush=True)
os._exit(code)
"""


@pytest.mark.parametrize("left", ["stubborn()", "asyncio.to_thread(threading.Event().wait)"])
def test_a_task_or_thread_that_does_not_end_is_left(left: str) -> None:
    program = [sys.executable, "-X", "dev", "-c", LEFT.replace("{left}", left)]
    done = subprocess.run(program, capture_output=True, text=True, check=False, timeout=60)
    assert (done.returncode, done.stdout, done.stderr) == (7, "written\n", "")
