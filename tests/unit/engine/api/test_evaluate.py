from __future__ import annotations

import asyncio
import contextlib
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pytest

from pipelines.engine.embedded.api.calls import Call, Calls
from pipelines.engine.embedded.api.execution.evaluate import Evaluator, NullObject, Pending
from pipelines.engine.embedded.api.registry import ResolverRegistry
from pipelines.engine.embedded.errors import Cancelled, EngineError, InvalidInput

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator


@dataclass
class World:
    """Resolvers that count, wait for `gate`, or fail."""

    registry: ResolverRegistry = field(default_factory=ResolverRegistry)
    calls: Calls = field(default_factory=Calls)
    ran: Counter[str] = field(default_factory=Counter)
    entered: asyncio.Event = field(default_factory=asyncio.Event)
    crowd: asyncio.Barrier | None = None
    gate: asyncio.Event = field(default_factory=asyncio.Event)
    failures: list[Exception] = field(default_factory=list)
    evaluator: Evaluator = field(init=False)

    def __post_init__(self) -> None:
        self.evaluator = Evaluator(self.registry, ctx=self)
        add = self.registry.field
        add("T.plain", args=("n",))(self.plain)
        add("T.slow", args=("n", "source"))(self.slow)
        add("T.failing")(self.failing)
        add("T.null")(self.null)
        add("T.join", args=("sources", "n"))(self.join)
        add("T.lazy", args=("source",), lazy=True)(self.lazy)
        add("T.read")(lambda ctx, parent, args: parent)

    def plain(self, ctx: World, parent: int | None, args: dict[str, Any]) -> int:
        ctx.ran["plain"] += 1
        return (parent or 0) + int(args["n"])

    async def slow(self, ctx: World, parent: int | None, args: dict[str, Any]) -> int:
        ctx.ran["slow"] += 1
        ctx.entered.set()
        try:
            if ctx.crowd is not None:
                await ctx.crowd.wait()
            await ctx.gate.wait()
        except asyncio.CancelledError:
            ctx.ran["slow cancelled"] += 1
            raise
        return (parent or 0) + int(args["n"]) + int(args.get("source") or 0)

    async def failing(self, ctx: World, parent: int | None, args: dict[str, Any]) -> int:
        ctx.ran["failing"] += 1
        await asyncio.sleep(0)
        if ctx.failures:
            raise ctx.failures.pop(0)
        return 7

    async def null(self, ctx: World, parent: int | None, args: dict[str, Any]) -> None:
        return None

    async def join(self, ctx: World, parent: int | None, args: dict[str, Any]) -> int:
        return int(sum(args["sources"]) + args.get("n", 0))

    async def lazy(self, ctx: World, parent: Pending | None, args: dict[str, Any]) -> tuple[str, str]:
        assert isinstance(parent, Pending)
        return parent.call.field, args["source"].call.field

    def make(self, name: str, parent: Call | None = None, **args: Any) -> Call:
        return self.calls.make("T", f"T.{name}", parent, args)


@pytest.fixture
async def world() -> AsyncIterator[World]:
    one = World()
    yield one
    await one.evaluator.close()


async def started(world: World, *calls: Call) -> list[asyncio.Task[Any]]:
    """Tasks that wait for the calls, the work being under way."""
    tasks = [asyncio.create_task(world.evaluator.state(call)) for call in calls]
    await world.entered.wait()
    return tasks


@contextlib.contextmanager
def cancelled() -> Iterator[None]:
    with pytest.raises(asyncio.CancelledError):
        yield


async def test_a_call_runs_once_however_often_it_is_asked(world: World) -> None:
    chain = world.make("plain", world.make("plain", n=1), n=2)
    assert [await world.evaluator.state(chain) for _ in range(3)] == [3, 3, 3]
    assert world.ran["plain"] == 2


async def test_all_who_ask_at_once_share_one_flight(world: World) -> None:
    call = world.make("slow", n=5)
    tasks = await started(world, *[call] * 10)
    world.gate.set()
    assert await asyncio.gather(*tasks) == [5] * 10
    assert world.ran["slow"] == 1


async def test_chains_share_the_part_they_have_in_common(world: World) -> None:
    common = world.make("slow", n=1)
    tasks = await started(world, world.make("plain", common, n=10), world.make("plain", common, n=20))
    world.gate.set()
    assert await asyncio.gather(*tasks) == [11, 21]
    assert world.ran["slow"] == 1


async def test_a_failure_reaches_all_who_wait_and_is_not_remembered(world: World) -> None:
    world.failures = [EngineError("once")]
    call = world.make("failing")
    outcomes = await asyncio.gather(*(world.evaluator.state(call) for _ in range(3)), return_exceptions=True)
    assert [str(one) for one in outcomes] == ["once"] * 3
    assert await world.evaluator.state(call) == 7
    assert world.ran["failing"] == 2


async def test_the_work_goes_on_while_one_still_waits(world: World) -> None:
    leaver, stayer = await started(world, *[world.make("slow", n=5)] * 2)
    leaver.cancel()
    with cancelled():
        await leaver
    world.gate.set()
    assert await stayer == 5
    assert world.ran["slow cancelled"] == 0


async def test_the_work_stops_with_the_last_who_waits_and_starts_anew_for_the_next(world: World) -> None:
    call = world.make("slow", n=5)
    tasks = await started(world, call, call)
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    world.gate.set()
    assert await world.evaluator.state(call) == 5
    assert world.ran == {"slow": 2, "slow cancelled": 1}


async def test_closing_stops_the_work_and_tells_who_waits(world: World) -> None:
    (task,) = await started(world, world.make("slow", n=5))
    await world.evaluator.close()
    with pytest.raises(Cancelled):
        await task
    assert world.ran["slow cancelled"] == 1


async def test_objects_among_the_arguments_are_evaluated_at_once(world: World) -> None:
    world.crowd = asyncio.Barrier(3)  # none goes on until all three are there
    world.gate.set()
    sources = [world.make("slow", n=n) for n in (1, 2, 3)]
    assert await asyncio.wait_for(world.evaluator.state(world.make("join", sources=sources)), timeout=10) == 6


async def test_a_failing_argument_stops_the_others(world: World) -> None:
    world.failures = [EngineError("broken input")]
    call = world.make("join", sources=[world.make("slow", n=1), world.make("failing")])
    with pytest.raises(EngineError, match="broken input"):
        await world.evaluator.state(call)
    assert world.ran["slow cancelled"] == world.ran["slow"]


async def test_an_argument_that_is_null_is_the_callers_mistake(world: World) -> None:
    with pytest.raises(InvalidInput, match=r"T\.null gave nothing"):
        await world.evaluator.state(world.make("join", sources=[world.make("null")]))


async def test_null_on_the_way_names_the_call_that_gave_it(world: World) -> None:
    null = world.make("null")
    for _ in range(2):
        with pytest.raises(NullObject) as caught:
            await world.evaluator.state(world.make("plain", null, n=1))
        assert caught.value.call is null


async def test_a_lazy_resolver_gets_calls_and_nothing_is_evaluated_for_it(world: World) -> None:
    world.failures = [EngineError("must not run")] * 2
    call = world.make("lazy", world.make("failing"), source=world.make("failing", n=1))
    assert await world.evaluator.state(call) == ("T.failing", "T.failing")
    assert world.ran["failing"] == 0


async def test_a_leaf_is_asked_anew_each_time(world: World) -> None:
    world.registry.field("T.ask")(lambda ctx, parent, args: ctx.ran.update(ask=1))
    for _ in range(2):
        await world.evaluator.leaf(world.registry["T.ask"], world.make("plain", n=1), {})
    assert world.ran == {"plain": 1, "ask": 2}


@pytest.mark.parametrize("name", ["plain", "slow"])
async def test_depth_of_a_chain_costs_no_recursion(world: World, name: str) -> None:
    world.gate.set()
    call = world.make(name, n=1)
    for _ in range(3000):
        call = world.make(name, call, n=1)
    assert await world.evaluator.state(call) == 3001


async def test_depth_of_arguments_in_arguments_costs_no_recursion(world: World) -> None:
    call = world.make("plain", n=1)
    for n in range(3000):
        call = world.make("join", sources=[call], n=n % 2)
    assert await world.evaluator.state(call) == 1501


async def test_cancelling_deep_arguments_costs_no_recursion(world: World) -> None:
    call = world.make("slow", n=1)
    for _ in range(2000):
        call = world.make("join", sources=[call])
    (task,) = await started(world, call)
    task.cancel()
    with cancelled():
        await task
    await world.evaluator.close()
    assert world.ran["slow cancelled"] == 1
