from __future__ import annotations

import asyncio
import threading

import pytest

from pipelines.engine.embedded.ops.tasks import in_thread


async def test_what_the_thread_gives_or_raises_is_passed_on() -> None:
    assert await in_thread(divmod, 7, 2) == (3, 1)
    with pytest.raises(ZeroDivisionError):
        await in_thread(divmod, 7, 0)


@pytest.mark.parametrize("times", [1, 3])
async def test_a_cancellation_waits_for_the_thread(times: int) -> None:
    begun, release = threading.Event(), threading.Event()
    steps: list[str] = []

    def work() -> None:
        begun.set()
        release.wait(10)
        steps.append("worked")

    async def use() -> None:
        try:
            await in_thread(work)
        finally:
            steps.append("cleaned up")

    task = asyncio.create_task(use())
    await asyncio.to_thread(begun.wait, 10)
    for _ in range(times):
        task.cancel()
        await asyncio.sleep(0)
    assert not steps
    release.set()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert steps == ["worked", "cleaned up"]


async def test_a_failure_after_the_cancellation_is_no_warning() -> None:
    begun, release = threading.Event(), threading.Event()

    def work() -> None:
        begun.set()
        release.wait(10)
        raise OSError("late")

    task = asyncio.create_task(in_thread(work))
    await asyncio.to_thread(begun.wait, 10)
    task.cancel()
    release.set()
    with pytest.raises(asyncio.CancelledError):
        await task
