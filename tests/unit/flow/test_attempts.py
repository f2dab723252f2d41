"""One step: its tries, its limit, and what it raises."""

from __future__ import annotations

import asyncio
import sys
from typing import TYPE_CHECKING

import anyio
import pytest

from pipelines.errors import ConfigError, InternalError, RegistryUnavailable, StepFailed

if TYPE_CHECKING:
    from collections.abc import Callable

    from pipelines.errors import LockgateError
    from pipelines.model import Result
    from pipelines.steps.definition import StepContext, StepDef
    from tests.unit.flow.conftest import Lab

    Make = Callable[..., StepDef]


def shaky(failures: int, error: Exception) -> Callable[[], object]:
    left = [failures]

    async def shaky() -> str:
        if left[0]:
            left[0] -= 1
            raise error
        return "at last"

    return shaky


def test_a_transient_error_is_tried_again_later_each_time(lab: Lab, make: Make) -> None:
    result = lab.run(make(shaky(3, ConnectionResetError("reset")), retries=3))["step.shaky"]
    assert (str(result.status), result.value, result.attempts) == ("passed", "at last", 4)
    assert [event[3] for event in lab.sink.of("retry")] == [1.0, 2.0, 4.0]
    assert result.duration_s == 7.0
    assert "trying again in 4.0 s" in lab.log("step.shaky")


def test_tries_end(lab: Lab, make: Make) -> None:
    lab.translate = lambda error: RegistryUnavailable("the registry resets connections") if isinstance(error, ConnectionError) else None
    result = lab.run(make(shaky(9, ConnectionResetError("reset")), retries=2))["step.shaky"]
    assert (str(result.status), result.error_kind, result.attempts) == ("error", "unavailable", 3)
    assert result.reason == "the registry resets connections"


@pytest.mark.parametrize("error", [StepFailed("no"), ValueError("no")])
def test_what_is_not_transient_is_not_tried_again(lab: Lab, make: Make, error: Exception) -> None:
    assert lab.run(make(shaky(1, error)))["step.shaky"].attempts == 1


def test_cached_is_forgotten_before_another_try(lab: Lab, make: Make) -> None:
    tries: list[bool] = []

    async def flaky(context: StepContext) -> None:
        tries.append(context.cached)
        if len(tries) == 1:
            context.cached = True
            raise ConnectionResetError

    assert not lab.run(make(flaky))["step.flaky"].cached
    assert tries == [False, False]


def test_the_time_limit_is_a_failure_and_spans_the_tries(lab: Lab, make: Make) -> None:
    cleaned: list[str] = []

    async def hangs() -> None:
        try:
            await anyio.sleep_forever()
        finally:
            cleaned.append("yes")

    result = lab.run(make(hangs, timeout_s=90), make(shaky(9, ConnectionResetError()), timeout_s=2.5, retries=9))["step.hangs"]
    assert (str(result.status), result.duration_s, result.error_kind) == ("failed", 90.0, None)
    assert result.reason == "stopped after its limit of 1m30s"
    assert cleaned == ["yes"]
    assert lab.results["step.shaky"].duration_s == 2.5
    assert "1m30s" in lab.log("step.hangs")


def test_the_run_goes_on_without_a_step_that_ignores_its_limit(lab: Lab, make: Make) -> None:
    """As a call in a thread does that never returns."""
    released: list[asyncio.Event] = []

    async def ignores(context: StepContext) -> None:
        released.append(asyncio.Event())
        context.log("still here\n")
        with anyio.CancelScope(shield=True):
            await released[0].wait()
        context.log("too late\n")

    async def neighbour() -> str:
        await anyio.sleep(100)
        return "fine"

    async def run() -> int:
        await lab.go(make(ignores, timeout_s=30), make(neighbour))
        released[0].set()
        left = asyncio.all_tasks() - {asyncio.current_task()}
        if left:
            await asyncio.wait(left)
        return len(left)

    assert lab.jump(run) == 1
    result = lab.results["step.ignores"]
    assert (str(result.status), result.duration_s, result.error_kind) == ("failed", 45.0, None)
    assert result.reason == "it did not end within 15s after its limit of 30s: the run went on without it (last: still here)"
    assert lab.results["step.neighbour"].value == "fine"
    assert "too late" not in lab.log("step.ignores")


async def test_a_step_that_catches_every_cancellation_is_given_up(lab: Lab, make: Make) -> None:
    """On a real clock: such a step is cancelled again and again, so that the event loop never waits."""
    lab.grace_s, cancelled, released = 0.05, [0], asyncio.Event()

    async def stubborn() -> None:
        while not released.is_set():
            try:
                await released.wait()
            except asyncio.CancelledError:
                cancelled[0] += 1

    result = (await lab.go(make(stubborn, timeout_s=0.01)))["step.stubborn"]
    assert str(result.reason).startswith("it did not end within")
    so_far = cancelled[0]
    assert so_far > 0
    for _ in range(100):
        await asyncio.sleep(0)
    assert cancelled[0] - so_far <= 1  # it is left in peace, and takes no processor
    released.set()
    await asyncio.wait(asyncio.all_tasks() - {asyncio.current_task()})


def test_a_step_that_ends_within_the_grace_ran_out_of_time(lab: Lab, make: Make) -> None:
    async def slow() -> str:
        try:
            await anyio.sleep_forever()
        finally:
            with anyio.CancelScope(shield=True):
                await anyio.sleep(14)
        return "late"

    result = lab.run(make(slow, timeout_s=30))["step.slow"]
    assert (str(result.status), result.duration_s, result.reason) == ("failed", 44.0, "stopped after its limit of 30s")


FROM_INSIDE = "the step was cancelled from inside (it cancelled its own task, or awaited one that was)"


def raises(error: BaseException) -> Callable[[], object]:
    async def raises() -> None:
        raise error

    return raises


def ended(lab: Lab, make: Make, error: BaseException) -> Result:
    return lab.run(make(raises(error)))["step.raises"]


@pytest.mark.parametrize(
    ("error", "end"),
    [
        (StepFailed("no", cause="it is so"), ("failed", None, "no (it is so)")),
        (ConfigError("no such stage", problems=("images.shop.target: x",)), ("failed", None, "no such stage; images.shop.target: x")),
        (RegistryUnavailable("down"), ("error", "unavailable", "down")),
        (InternalError("defect"), ("error", "internal", "defect")),
        (ValueError("surprise"), ("error", "internal", "ValueError: surprise")),
        (ValueError(), ("error", "internal", "ValueError")),
        (SystemExit(3), ("failed", None, "the step called sys.exit(3)")),
        (asyncio.CancelledError(), ("error", "internal", FROM_INSIDE)),
        (ExceptionGroup("g", [RegistryUnavailable("down"), StepFailed("no")]), ("failed", None, "no")),
        (ExceptionGroup("g", [StepFailed("no"), ExceptionGroup("h", [ValueError("x")])]), ("error", "internal", "ValueError: x")),
    ],
)
def test_what_a_step_raises_is_its_result(lab: Lab, make: Make, error: BaseException, end: tuple[str, str | None, str]) -> None:
    result = ended(lab, make, error)
    assert (str(result.status), result.error_kind, result.reason) == end


def test_a_defect_leaves_its_traceback_in_the_log_and_nowhere_else(lab: Lab, make: Make) -> None:
    result = ended(lab, make, ValueError("surprise"))
    assert "Traceback (most recent call last)" in lab.log("step.raises")
    assert "Traceback" not in str(lab.sink.events) + str(result.tail)


@pytest.mark.parametrize(("error", "next_line"), [(StepFailed("no"), "no"), (ValueError("no"), "Traceback (most recent call last):")])
def test_an_error_begins_a_line_of_the_log(lab: Lab, make: Make, error: Exception, next_line: str) -> None:
    async def fails(context: StepContext) -> None:
        context.log("no line ends here")
        raise error

    lab.run(make(fails, own=True))
    assert lab.log("step.fails").splitlines()[:2] == ["no line ends here", next_line]


def test_an_answer_leaves_no_traceback(lab: Lab, make: Make) -> None:
    ended(lab, make, StepFailed("no", cause="because", next_step="do this"))
    assert lab.log("step.raises") == "no\ncause: because\nnext:  do this\n"


def test_the_border_has_the_first_word(lab: Lab, make: Make) -> None:
    def translate(error: BaseException) -> LockgateError | None:
        return StepFailed("translated") if isinstance(error, KeyError) else None

    lab.translate = translate
    assert ended(lab, make, KeyError("x")).reason == "translated"


def test_code_that_cannot_be_loaded(lab: Lab, make: Make) -> None:
    definition = make(raises(ValueError()))

    def load() -> object:
        raise ImportError("no module")

    broken = type(definition)(id="step.raises", kind="step", name="raises", parameters=(), provides=None, load=load)  # type: ignore[arg-type]
    assert lab.run(broken)["step.raises"].reason == "ImportError: no module"


def test_a_step_that_cancels_its_own_scope_is_not_a_stop(lab: Lab, make: Make) -> None:
    async def own_scope() -> str:
        with anyio.CancelScope() as scope:
            scope.cancel()
            await anyio.sleep(1)
        return "fine"

    assert lab.run(make(own_scope))["step.own_scope"].value == "fine"


def test_a_step_that_exits_does_not_end_its_neighbours(lab: Lab, make: Make) -> None:
    async def exits() -> None:
        sys.exit("bye")

    async def neighbour() -> str:
        await anyio.sleep(1)
        return "fine"

    results = lab.run(make(exits), make(neighbour))
    assert results["step.exits"].reason == "the step called sys.exit('bye')"
    assert results["step.neighbour"].value == "fine"


class Unspeakable(Exception):  # noqa: N818 - it says nothing at all
    def __str__(self) -> str:
        raise RuntimeError("not even this")

    __repr__ = __str__


class NotAnException(BaseException):
    pass


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (ValueError("surprise"), "ValueError: surprise"),
        (InternalError("of their own"), "of their own"),
        (Unspeakable(), "Unspeakable"),
        (NotAnException("x"), "NotAnException: x"),
        (KeyboardInterrupt(), "KeyboardInterrupt"),
        (GeneratorExit(), "GeneratorExit"),
        (SystemExit(Unspeakable()), "the step called sys.exit(…)"),
        (asyncio.CancelledError(), FROM_INSIDE),
        (ExceptionGroup("g", [KeyError("x"), StepFailed("no")]), "KeyError: 'x'"),
        (BaseExceptionGroup("g", [NotAnException("x")]), "NotAnException: x"),
    ],
)
def test_whatever_the_project_own_code_raises_is_its_failure(lab: Lab, make: Make, error: BaseException, reason: str) -> None:
    async def raises() -> None:
        raise error

    async def other() -> str:
        return "fine"

    results = lab.run(make(raises, own=True), make(other))
    assert (str(results["step.raises"].status), results["step.raises"].error_kind) == ("failed", None)
    assert reason in (results["step.raises"].reason or "")
    assert str(results["step.other"].status) == "passed"


def test_what_is_out_of_reach_stays_so_in_the_project_own_code(lab: Lab, make: Make) -> None:
    assert lab.run(make(raises(RegistryUnavailable("down")), own=True))["step.raises"].error_kind == "unavailable"


@pytest.mark.parametrize("how", ["returns", "raises", "groups"])
def test_a_step_that_catches_the_end_of_its_time_has_run_out_of_time(lab: Lab, make: Make, how: str) -> None:
    async def deaf() -> None:
        try:
            await anyio.sleep_forever()
        except BaseException:  # noqa: BLE001 - what the test is about
            if how == "raises":
                raise ValueError("something else") from None
            if how == "groups":
                raise BaseExceptionGroup("g", [NotAnException()]) from None

    result = lab.run(make(deaf, timeout_s=3, own=True))["step.deaf"]
    assert (str(result.status), result.duration_s, result.reason) == ("failed", 3.0, "stopped after its limit of 3s")


@pytest.mark.parametrize("how", ["returns", "raises"])
def test_a_step_that_catches_the_stop_of_the_run_was_cancelled(lab: Lab, make: Make, how: str) -> None:
    async def deaf() -> None:
        try:
            await anyio.sleep_forever()
        except BaseException:  # noqa: BLE001 - what the test is about
            if how == "raises":
                raise ValueError("something else") from None

    async def stops() -> None:
        lab.stop.request(2)

    assert str(lab.run(make(deaf, own=True), make(stops))["step.deaf"].status) == "cancelled"


def test_a_step_that_does_not_notice_the_end_of_its_time_has_run_out_of_time(lab: Lab, make: Make) -> None:
    async def blocks() -> str:
        asyncio.get_running_loop()._selector.now += 10  # type: ignore[attr-defined]  # the time that blocking code takes
        return "done"

    assert lab.run(make(blocks, timeout_s=3))["step.blocks"].reason == "stopped after its limit of 3s"


def test_a_limit_tells_what_used_it_up(lab: Lab, make: Make) -> None:
    async def talks(context: StepContext) -> None:
        context.log("downloading\n\x1b[1m 40 %\x1b[0m")
        await anyio.sleep_forever()

    used = "2 tries, ConnectionResetError: reset: trying again in 2.0 s"
    lab.givens["StepContext"] = None
    results = lab.run(make(talks, timeout_s=60), make(shaky(9, ConnectionResetError("reset")), timeout_s=2.5, retries=9))
    assert results["step.talks"].reason == "stopped after its limit of 1m (last: 40 %)"
    assert results["step.shaky"].reason == f"stopped after its limit of 2.5s (last: {used})"
