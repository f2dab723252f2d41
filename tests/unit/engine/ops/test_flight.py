from __future__ import annotations

import asyncio

import pytest

from pipelines.engine.embedded.ops.flight import SingleFlight


async def test_all_who_ask_share_one_run() -> None:
    flights: SingleFlight[int] = SingleFlight()
    runs: list[int] = []
    release = asyncio.Event()

    async def work() -> int:
        runs.append(1)
        await release.wait()
        return 7

    asked = [asyncio.create_task(flights.do("key", work)) for _ in range(5)]
    await asyncio.sleep(0)
    release.set()
    assert await asyncio.gather(*asked) == [7] * 5
    assert len(runs) == 1


async def test_a_failure_reaches_everybody_and_is_forgotten() -> None:
    flights: SingleFlight[int] = SingleFlight()

    async def fail() -> int:
        raise ValueError("no")

    async def succeed() -> int:
        return 1

    answers = await asyncio.gather(flights.do("key", fail), flights.do("key", fail), return_exceptions=True)
    assert [str(answer) for answer in answers] == ["no", "no"]
    assert await flights.do("key", succeed) == 1


async def test_the_last_to_leave_cancels_the_work() -> None:
    flights: SingleFlight[int] = SingleFlight()
    started, cancelled = asyncio.Event(), asyncio.Event()

    async def work() -> int:
        started.set()
        try:
            await asyncio.Event().wait()
        finally:
            cancelled.set()
        return 0

    first, second = (asyncio.create_task(flights.do("key", work)) for _ in range(2))
    await started.wait()
    first.cancel()
    with pytest.raises(asyncio.CancelledError):
        await first
    assert not cancelled.is_set()
    second.cancel()
    with pytest.raises(asyncio.CancelledError):
        await second
    assert cancelled.is_set()


async def test_one_who_asks_while_the_cancelled_work_winds_down_gets_work_of_its_own() -> None:
    flights: SingleFlight[str] = SingleFlight()
    started, wind_down = asyncio.Event(), asyncio.Event()

    async def slow() -> str:
        started.set()
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            await wind_down.wait()
            raise
        return "old"

    async def quick() -> str:
        return "new"

    leaving = asyncio.create_task(flights.do("key", slow))
    await started.wait()
    leaving.cancel()
    await asyncio.sleep(0)
    fresh = await flights.do("key", quick)
    wind_down.set()
    with pytest.raises(asyncio.CancelledError):
        await leaving
    assert fresh == "new"
