from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import pytest

from pipelines.engine.embedded.errors import EngineError, ExecError
from pipelines.engine.embedded.sandbox.services.container import LastOutput, ServiceDied
from pipelines.engine.embedded.sandbox.services.runner import RunningService, ServicePort, ServiceRunner, StopMode, while_up
from pipelines.engine.embedded.sandbox.spec import CommandExit

if TYPE_CHECKING:
    from collections.abc import AsyncIterator


class FakeService:
    """Comes up when `ready` is set (at once, unless it is to be `slow`), or fails with `problem`."""

    def __init__(self, *, slow: bool = False, problem: Exception | None = None) -> None:
        self.starts = 0
        self.log: list[str] = []
        self.ready = asyncio.Event()
        self.down = asyncio.Event()
        self.problem = problem
        self.ended: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        if not slow:
            self.ready.set()

    @asynccontextmanager
    async def up(self, runner: ServiceRunner, ending: StopMode) -> AsyncIterator[RunningService]:
        self.starts += 1
        try:
            await self.ready.wait()
            if self.problem:
                raise self.problem
            yield RunningService("10.0.0.9", (ServicePort(80),), self.ended)
        finally:
            self.log.append("killed" if ending.kill else "stopped")
            self.down.set()


async def test_two_users_share_one_service_that_outlives_neither_by_more_than_the_grace() -> None:
    runner, service = ServiceRunner(grace=0), FakeService()
    async with runner.using("k", service) as one, runner.using("k", service) as two:
        assert one is two
        assert service.log == []
    await service.down.wait()
    assert service.starts == 1


async def test_within_the_grace_the_next_user_finds_it_running() -> None:
    runner, service = ServiceRunner(grace=1000), FakeService()
    for _ in range(3):
        async with runner.using("k", service):
            pass
    assert (service.starts, service.log) == (1, [])
    await runner.close()
    assert service.log == ["stopped"]


async def test_a_user_who_comes_within_the_grace_and_stays_longer_keeps_it() -> None:
    grace = 0.01
    runner, service = ServiceRunner(grace=grace), FakeService()
    async with runner.using("k", service):
        pass
    async with runner.using("k", service):
        await asyncio.sleep(3 * grace)
        assert service.log == []
    await service.down.wait()


async def test_a_started_service_stays_until_it_is_stopped() -> None:
    runner, service = ServiceRunner(grace=0), FakeService()
    await runner.start("k", service)
    async with runner.using("k", service):
        pass
    assert service.log == []
    await runner.stop("k", kill=True)
    assert (service.starts, service.log) == (1, ["killed"])
    await runner.stop("k")


async def test_stopping_does_not_wait_for_users_and_the_next_one_starts_it_anew() -> None:
    runner, service = ServiceRunner(grace=0), FakeService()
    async with runner.using("k", service):
        await runner.stop("k")
        assert service.log == ["stopped"]
        async with runner.using("k", service):
            assert service.starts == 2
    await runner.close()


async def test_a_failure_is_told_to_all_who_wait_and_is_not_remembered() -> None:
    runner, service = ServiceRunner(grace=0), FakeService(slow=True, problem=EngineError("no"))
    waiting = [asyncio.ensure_future(runner.start("k", service)) for _ in range(2)]
    await asyncio.sleep(0)
    service.ready.set()
    results = await asyncio.gather(*waiting, return_exceptions=True)
    assert [str(result) for result in results] == ["no", "no"]
    service.problem = None
    assert (await runner.start("k", service)).ip == "10.0.0.9"
    assert service.starts == 2
    await runner.close()


async def test_a_service_that_died_is_known_by_the_name_each_user_gave_it() -> None:
    runner = ServiceRunner(grace=0)
    service = FakeService(problem=ServiceDied("sv123", ("sh", "-c", "exit 3"), CommandExit(3), "out", "dying\n"))
    with pytest.raises(ExecError) as raised:
        async with runner.using("k", service, alias="dead"):
            pass
    assert raised.value.message == "start sv123 (aliased as dead): exit code: 3"
    assert raised.value.extensions() == {
        "code": "SERVICE_FAILED",
        "_type": "EXEC_ERROR",
        "cmd": ["sh", "-c", "exit 3"],
        "exitCode": 3,
        "stdout": "out",
        "stderr": "dying\n",
    }
    with pytest.raises(ExecError, match=r"^start sv123: exit code: 3$"):
        await runner.start("k", service)


async def test_who_gives_up_waiting_stops_what_nobody_else_waits_for() -> None:
    runner, service = ServiceRunner(grace=1000), FakeService(slow=True)
    one, two = (asyncio.ensure_future(runner.start("k", service)) for _ in range(2))
    await asyncio.sleep(0)
    one.cancel()
    await asyncio.wait({one})
    assert service.log == []
    two.cancel()
    await service.down.wait()
    assert service.starts == 1


async def test_a_service_that_ended_by_itself_is_started_anew() -> None:
    runner, service = ServiceRunner(grace=1000), FakeService()
    await runner.start("k", service)
    service.ended.set_result(None)
    await service.down.wait()
    service.ended = asyncio.get_running_loop().create_future()
    async with runner.using("k", service):
        assert service.starts == 2
    await runner.close()


async def test_who_comes_when_a_service_has_just_ended_gets_a_new_one() -> None:
    runner, dead, service = ServiceRunner(grace=0), FakeService(), FakeService()
    async with runner.using("k", dead) as up:
        dead.ended.set_result(None)
        async with runner.using("k", service) as another:  # before the end of the first could be noticed
            assert another is not up
            assert service.starts == 1
    await asyncio.gather(dead.down.wait(), service.down.wait())
    await runner.close()


async def test_work_beside_services_is_cancelled_when_one_of_them_ends() -> None:
    runner, one, two = ServiceRunner(grace=0), FakeService(), FakeService()
    begun = asyncio.Event()

    async def work() -> str:
        begun.set()
        await asyncio.Event().wait()
        return "never"

    async with runner.using("1", one) as first, runner.using("2", two) as second:
        doing = asyncio.ensure_future(while_up({"first": first, "second": second}, work()))
        await begun.wait()
        two.ended.set_result(None)
        with pytest.raises(EngineError, match="bound service second exited"):
            await doing
    await runner.close()


async def test_work_that_is_done_or_fails_is_told_as_it_is() -> None:
    runner, service = ServiceRunner(grace=0), FakeService()

    async def work(problem: Exception | None) -> str:
        await asyncio.sleep(0)
        if problem:
            raise problem
        return "done"

    async with runner.using("k", service) as up:
        assert await while_up({"a": up}, work(None)) == "done"
        with pytest.raises(ValueError, match="it rains"):
            await while_up({"a": up}, work(ValueError("it rains")))
    await runner.close()


async def test_work_that_is_given_up_ends_before_its_services() -> None:
    runner, service = ServiceRunner(grace=0), FakeService()
    log: list[str] = []
    began = asyncio.Event()

    async def work() -> None:
        began.set()
        try:
            await asyncio.Event().wait()
        finally:
            await asyncio.sleep(0)
            log.append("work ended")

    async with runner.using("k", service) as up:
        doing = asyncio.ensure_future(while_up({"a": up}, work()))
        await began.wait()
        doing.cancel()
        with pytest.raises(asyncio.CancelledError):
            await doing
        assert (log, service.log) == (["work ended"], [])
    await runner.close()


async def test_closing_stops_what_is_coming_up_too() -> None:
    runner, service = ServiceRunner(), FakeService(slow=True)
    waiting = asyncio.ensure_future(runner.start("k", service))
    await asyncio.sleep(0)
    await runner.close()
    with pytest.raises(EngineError, match="stopped before it was up"):
        await waiting
    assert service.log == ["stopped"]


async def test_a_service_that_uses_another_is_stopped_with_it() -> None:
    runner, inner = ServiceRunner(grace=0), FakeService()

    class Outer:
        @asynccontextmanager
        async def up(self, runner: ServiceRunner, ending: StopMode) -> AsyncIterator[RunningService]:
            async with runner.using("inner", inner) as up:
                yield up

    await runner.start("outer", Outer())
    await runner.stop("outer")
    await inner.down.wait()
    assert inner.starts == 1


def test_only_the_last_of_a_services_output_is_kept() -> None:
    tail = LastOutput(10)
    for number in range(100):
        tail.add("stdout", f"{number:02}\n".encode())
    tail.add("stderr", b"x" * 50)
    assert tail.text("stdout") == "\n97\n98\n99\n"
    assert tail.text("stderr") == "x" * 10
