from __future__ import annotations

import asyncio
import contextlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.foundation.single_flight import SingleFlight, WorkCancelled

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    Jump = Callable[[Callable[[], Awaitable[Any]]], Any]

FAILS = ValueError("no")


@dataclass
class Work:
    """Work that takes a while, and a while more to end when it is cancelled."""

    takes_s: float = 1.0
    ends_s: float = 0.0
    fails: bool = False
    begun: list[float] = field(default_factory=list)
    done: list[float] = field(default_factory=list)
    cancelled: list[float] = field(default_factory=list)

    async def __call__(self) -> int:
        number = len(self.begun)
        self.begun.append(_now())
        try:
            await asyncio.sleep(self.takes_s)
        except asyncio.CancelledError:
            if self.ends_s:
                await asyncio.sleep(self.ends_s)
            self.cancelled.append(_now())
            raise
        self.done.append(_now())
        if self.fails:
            raise FAILS
        return number


def _now() -> float:
    return asyncio.get_running_loop().time()


@dataclass(frozen=True)
class Caller:
    asks_s: float
    leaves_s: float | None


callers = st.builds(Caller, st.integers(0, 6).map(float), st.none() | st.integers(0, 8).map(lambda number: number + 0.5))


@given(plans=st.lists(callers, min_size=1, max_size=6), takes=st.integers(1, 4), ends=st.integers(0, 2), fails=st.booleans())
def test_whoever_comes_and_goes_the_work_of_a_moment_is_done_once_and_ends_with_its_last_caller(
    plans: list[Caller], takes: int, ends: int, on_jumping_clock: Jump, *, fails: bool
) -> None:
    flight = SingleFlight[int]()
    work = Work(takes - 0.25, ends, fails)
    ended: dict[int, tuple[str, float]] = {}

    async def caller(number: int, plan: Caller) -> None:
        await asyncio.sleep(plan.asks_s)
        try:
            await flight.do("key", work)
            ended[number] = ("value", _now())
        except asyncio.CancelledError:
            ended[number] = ("left", _now())
            raise
        except ValueError:
            ended[number] = ("error", _now())

    async def main() -> None:
        tasks = [asyncio.create_task(caller(number, plan)) for number, plan in enumerate(plans)]
        for task, plan in zip(tasks, plans, strict=True):
            if plan.leaves_s is not None:
                asyncio.get_running_loop().call_at(plan.leaves_s, task.cancel)
        await asyncio.gather(*tasks, return_exceptions=True)
        assert len(asyncio.all_tasks()) == 1  # nothing is left at work

    on_jumping_clock(main)
    assert ended.keys() <= set(range(len(plans)))
    expected = _expected([plan for plan in plans if plan.leaves_s is None or plan.asks_s < plan.leaves_s], takes - 0.25, ends)
    assert work.begun == expected.begun
    assert work.done == expected.done
    assert work.cancelled == expected.cancelled
    for number, (how, at_s) in ended.items():
        leaves = plans[number].leaves_s
        if how == "left":
            assert leaves is not None
            assert at_s in (leaves, leaves + ends)
        else:
            assert at_s in work.done
            assert how == ("error" if fails else "value")


def _expected(plans: list[Caller], takes: float, ends: float) -> Work:
    """The same by an account of moments: who has asked and not left keeps the work of the time going."""
    told = Work(takes, ends)
    since, waiting = 0.0, set[int]()
    moments = sorted({0.25 * number for number in range(60)})
    for now in moments:
        if waiting and now == since + takes:
            told.done.append(now)
            waiting.clear()
        for number, plan in enumerate(plans):
            if number in waiting and plan.leaves_s == now:
                waiting.remove(number)
                if not waiting:
                    told.cancelled.append(now + ends)
            elif plan.asks_s == now:
                if not waiting:
                    since = now
                    told.begun.append(now)
                waiting.add(number)
    told.cancelled.sort()
    return told


async def test_callers_of_different_keys_do_not_share() -> None:
    flight, work = SingleFlight[int](), Work(0.0)
    assert sorted(await asyncio.gather(flight.do("one", work), flight.do(("two", 2), work))) == [0, 1]


async def test_an_error_reaches_every_caller_and_is_forgotten() -> None:
    flight = SingleFlight[int]()
    answers = await asyncio.gather(*(flight.do("key", Work(0.0, fails=True)) for _ in range(3)), return_exceptions=True)
    assert answers == [FAILS] * 3
    assert await flight.do("key", Work(0.0)) == 0


def test_a_second_cancellation_does_not_leave_the_work_alone(on_jumping_clock: Jump) -> None:
    async def main() -> None:
        flight, work = SingleFlight[int](), Work(5.0, ends_s=3.0)
        caller = asyncio.create_task(flight.do("key", work))
        for _ in range(3):
            await asyncio.sleep(1.0)
            caller.cancel()
        with pytest.raises(asyncio.CancelledError):
            await caller
        assert work.cancelled == [4.0]
        assert _now() == 4.0

    on_jumping_clock(main)


def test_who_asks_while_cancelled_work_still_ends_gets_work_of_its_own(on_jumping_clock: Jump) -> None:
    async def main() -> None:
        flight, work = SingleFlight[int](), Work(2.0, ends_s=9.0)
        leaving = asyncio.create_task(flight.do("key", work))
        await asyncio.sleep(1.0)
        leaving.cancel()
        await asyncio.sleep(0)
        assert await flight.do("key", work) == 1
        assert _now() == 3.0
        with contextlib.suppress(asyncio.CancelledError):
            await leaving
        assert work.cancelled == [10.0]

    on_jumping_clock(main)


async def test_work_that_cancels_itself_does_not_look_like_a_cancelled_caller() -> None:
    async def work() -> int:
        raise asyncio.CancelledError

    with pytest.raises(WorkCancelled, match="the key was cancelled"):
        await SingleFlight[int]().do("the key", work)


async def test_closing_ends_all_work_and_tells_its_callers() -> None:
    flight, work = SingleFlight[int](), Work(60.0)
    callers = [asyncio.create_task(flight.do(key, work)) for key in ("one", "one", "two")]
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    await flight.close()
    assert len(work.cancelled) == 2
    answers = await asyncio.gather(*callers, return_exceptions=True)
    assert [type(answer) for answer in answers] == [WorkCancelled] * 3
