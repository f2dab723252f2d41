"""Large work in a thread, everything in order."""

from __future__ import annotations

import asyncio
import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.flow.ordered_work import OrderedWork


@given(larges=st.lists(st.booleans(), max_size=12))
def test_whatever_is_large_all_is_done_once_and_in_order(larges: list[bool]) -> None:
    done: list[int] = []

    async def main() -> None:
        order = OrderedWork()
        for number, large in enumerate(larges):
            if large:
                order.large(lambda number=number: number, done.append)  # type: ignore[misc]
            else:
                order.small(lambda number=number: done.append(number))  # type: ignore[misc]
        await order.done()

    asyncio.run(main())
    assert done == list(range(len(larges)))


async def test_the_event_loop_goes_on_while_large_work_is_done() -> None:
    order, go_on, done = OrderedWork(), threading.Event(), list[str]()
    order.large(lambda: go_on.wait(60), lambda ended: done.append(f"large {ended}"))
    order.small(lambda: done.append("small"))
    await asyncio.sleep(0)
    assert done == []
    go_on.set()
    await order.done()
    assert done == ["large True", "small"]


async def test_an_error_is_raised_in_the_end_and_stops_nothing() -> None:
    order, done = OrderedWork(), list[int]()
    order.large(lambda: 1 // 0, done.append)
    order.small(lambda: done.append(2))
    with pytest.raises(ZeroDivisionError):
        await order.done()
    assert done == [2]
    await order.done()


def test_without_an_event_loop_all_is_done_at_once() -> None:
    order, done = OrderedWork(), list[int]()
    order.large(lambda: 1, done.append)
    order.small(lambda: done.append(2))
    assert done == [1, 2]
