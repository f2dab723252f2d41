from __future__ import annotations

import asyncio
import threading
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from pipelines.engine.embedded.errors import EngineError, InvalidInput
from pipelines.engine.embedded.ops.evaluate import OpEvaluator
from pipelines.engine.embedded.ops.interface import ComputedOp
from pipelines.engine.embedded.ops.values.digest import digest_of
from pipelines.engine.embedded.ops.values.op import SCRATCH_OP, MountOf, Op, OpOutput
from pipelines.engine.embedded.store.snapshot import SCRATCH, Snapshot

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence


@dataclass
class Results:
    """The store as evaluation sees it: results by key, and one lock a key."""

    root: Path = field(default_factory=Path.cwd)
    kept: dict[str, dict[str, Any]] = field(default_factory=dict)
    locks: dict[str, asyncio.Lock] = field(default_factory=dict)
    waiting: asyncio.Event = field(default_factory=asyncio.Event)

    threads: set[int] = field(default_factory=set)

    def get(self, key: str) -> dict[str, Any] | None:
        self.threads.add(threading.get_ident())
        return self.kept.get(key)

    def put(self, key: str, payload: dict[str, Any], *, alias: Sequence[str] = (), **_: Any) -> None:
        self.threads.add(threading.get_ident())
        self.kept |= dict.fromkeys([key, *alias], payload)

    @asynccontextmanager
    async def lock(self, key: str) -> AsyncIterator[None]:
        lock = self.locks.setdefault(key, asyncio.Lock())
        if lock.locked():
            self.waiting.set()
        async with lock:
            yield


class Silent:
    def done(self, *_: Any, **__: Any) -> None:
        pass

    def failed(self, *_: Any) -> None:
        pass


@dataclass
class Session:
    store: Results = field(default_factory=Results)
    progress: Silent = field(default_factory=Silent)
    work_inputs: None = None
    ops: OpEvaluator = field(init=False)

    def __post_init__(self) -> None:
        self.ops = OpEvaluator(self)  # type: ignore[arg-type]


class Step(ComputedOp):
    """Counts its runs; waits for `gate` when there is one; fails when told to."""

    kind = "step"
    __slots__ = ("begun", "failure", "gate", "runs")

    def __init__(self, name: object, *inputs: Op, gate: asyncio.Event | None = None, failure: EngineError | None = None) -> None:
        super().__init__(name, inputs)
        self.gate = gate
        self.failure = failure
        self.begun = asyncio.Event()
        self.runs = 0

    async def key(self, _: Any, inputs: Sequence[OpOutput]) -> str:
        return digest_of(self.digest, [output.snapshot.id for output in inputs])

    async def run(self, _: Any, inputs: Sequence[OpOutput], key: str) -> OpOutput:
        self.runs += 1
        self.begun.set()
        if self.gate is not None:
            await self.gate.wait()
        if self.failure is not None:
            raise self.failure
        return OpOutput(Snapshot(key, ()), (SCRATCH,))


def chain(length: int, first: Op = SCRATCH_OP) -> list[Step]:
    steps: list[Step] = []
    for number in range(length):
        steps.append(Step(number, steps[-1] if steps else first))
    return steps


async def test_a_chain_of_400_is_evaluated_each_step_once() -> None:
    session, steps = Session(), chain(400)
    await session.ops.output(steps[-1])
    await session.ops.output(steps[-1])
    assert {step.runs for step in steps} == {1}


async def test_a_thousand_steps_with_a_sync_every_50() -> None:
    session, steps = Session(), chain(1000)
    for step in steps[49::50]:
        await session.ops.output(step)
    assert {step.runs for step in steps} == {1}
    again = Session(session.store)
    await again.ops.output(steps[-1])
    assert {step.runs for step in steps} == {1}


async def test_a_chain_that_is_cancelled_ends_and_can_be_asked_again() -> None:
    gate = asyncio.Event()
    session, first = Session(), Step("first", gate=gate)
    steps = chain(400, first)
    task = asyncio.create_task(session.ops.output(steps[-1]))
    await first.begun.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert len(asyncio.all_tasks()) == 1
    gate.set()
    await session.ops.output(steps[-1])
    assert (first.runs, steps[-1].runs) == (2, 1)


async def test_who_waits_for_anothers_lock_can_be_cancelled() -> None:
    session, step = Session(), Step("one")
    key = await step.key(session, [])
    async with session.store.lock(key):
        task = asyncio.create_task(session.ops.output(step))
        await session.store.waiting.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
    assert not step.begun.is_set()
    await session.ops.output(step)
    assert step.begun.is_set()


async def test_the_first_failure_ends_the_others_and_nothing_of_it_is_kept() -> None:
    never = asyncio.Event()
    session, slow, bad = Session(), Step("slow", gate=never), Step("bad", failure=InvalidInput("bad"))
    for _ in range(2):
        with pytest.raises(InvalidInput, match="bad"):
            await session.ops.output(Step("both", slow, bad))
    assert bad.runs == 2
    assert not session.store.kept
    assert len(asyncio.all_tasks()) == 1


async def test_two_mounts_of_one_step_run_it_once() -> None:
    session, step = Session(), Step("one")
    outputs = await session.ops.outputs([MountOf(step, 0), step, MountOf(step, 0)])
    assert [output.snapshot for output in outputs[::2]] == [SCRATCH, SCRATCH]
    assert step.runs == 1


async def test_the_store_may_wait_for_another_session_without_holding_up_this_one() -> None:
    session, steps = Session(), chain(3)
    await session.ops.output(steps[-1])
    assert session.store.threads
    assert threading.get_ident() not in session.store.threads
