from __future__ import annotations

import signal
from typing import TYPE_CHECKING

import anyio
import pytest

from pipelines.errors import EngineUnavailable
from pipelines.flow.future_value import FutureValue
from pipelines.model import BuiltImage, Check, Verdict

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from pipelines.steps.definition import StepContext, StepDef
    from tests.unit.flow.conftest import Lab

    Make = Callable[..., StepDef]

FAIL = Check(verdict=Verdict.FAIL, reason="one is wrong")


async def first() -> int:
    return 20


async def second(first: int) -> int:
    await anyio.sleep(1)
    return first + 1


async def third(first: int, second: int) -> int:
    return first + second + 1


async def broken() -> Check:
    await anyio.sleep(1)
    return FAIL


async def after_broken(broken: Check) -> None: ...


async def far_after(after_broken: None) -> None: ...


async def slow() -> str:
    await anyio.sleep(10)
    return "done"


def test_values_flow_along_the_parameters(lab: Lab, make: Make) -> None:
    results = lab.run(make(third), make(second), make(first))
    assert results["step.third"].value == 42
    assert list(results) == ["step.first", "step.second", "step.third"]
    assert results["step.third"].needs == ("step.first", "step.second")


def test_when_and_how_long(lab: Lab, make: Make) -> None:
    results = lab.run(make(first), make(second), make(third))
    assert (results["step.second"].started_s, results["step.second"].duration_s) == (0.0, 1.0)
    assert results["step.third"].started_s == 1.0


@pytest.mark.parametrize(("jobs", "seconds"), [(1, 60.0), (2, 30.0), (4, 20.0), (6, 10.0), (50, 10.0)])
def test_jobs_is_how_many_steps_work_at_once(lab: Lab, make: Make, jobs: int, seconds: float) -> None:
    results = lab.run(*(make(slow, id=f"step.s{number}") for number in range(6)), jobs=jobs)
    assert max(result.started_s + result.duration_s for result in results.values()) == seconds


def test_ready_steps_start_in_the_graphs_order(lab: Lab, make: Make) -> None:
    lab.run(*(make(slow, id=f"step.s{number}") for number in (3, 1, 2)), jobs=1)
    assert [event[1] for event in lab.sink.of("started")] == ["step.s3", "step.s1", "step.s2"]


def test_a_failure_blocks_what_needs_it_and_nothing_else(lab: Lab, make: Make) -> None:
    results = lab.run(make(broken), make(after_broken), make(far_after), make(slow))
    assert lab.statuses() == {"step.broken": "failed", "step.slow": "passed", "step.after_broken": "blocked", "step.far_after": "blocked"}
    assert results["step.after_broken"].reason == "needs step.broken, which failed"
    assert results["step.far_after"].reason == "needs step.after_broken, which was blocked"


def test_fail_fast_cancels_what_runs_and_what_waits(lab: Lab, make: Make) -> None:
    results = lab.run(make(broken), make(after_broken), make(slow), make(slow, id="step.slow2"), jobs=2, keep_going=False)
    assert lab.statuses() == {
        "step.broken": "failed",
        "step.after_broken": "blocked",
        "step.slow": "cancelled",
        "step.slow2": "cancelled",
    }
    assert results["step.slow"].reason == "stopped because step.broken failed"
    assert results["step.slow"].duration_s == 1.0
    assert ("started", "step.slow2") not in lab.sink.events


def test_after_waits_without_a_value(lab: Lab, make: Make) -> None:
    lab.run(make(broken), make(first, after=["step.broken"]))
    assert lab.statuses()["step.first"] == "blocked"


def test_a_step_whose_turn_it_is_not(lab: Lab, make: Make) -> None:
    results = lab.run(make(first, skip="not in CI"), make(second), make(slow))
    assert lab.statuses() == {"step.first": "skipped", "step.second": "blocked", "step.slow": "passed"}
    assert results["step.first"].reason == "not in CI"
    assert results["step.second"].reason == "needs step.first, which was skipped (not in CI)"


def test_what_is_not_selected_is_skipped(lab: Lab, make: Make) -> None:
    results = lab.run(make(first), make(second), make(broken), make(after_broken), selectors=["step.second"])
    assert lab.statuses() == {"step.first": "passed", "step.second": "passed", "step.broken": "skipped", "step.after_broken": "skipped"}
    assert results["step.after_broken"].reason == "not selected"


def test_every_step_is_finished_exactly_once(lab: Lab, make: Make) -> None:
    lab.run(make(broken), make(after_broken), make(far_after), make(first, skip="x"), make(second), make(slow), keep_going=False)
    finished = [event[1] for event in lab.sink.of("finished")]
    assert sorted(finished) == sorted(lab.results)


def test_a_stop_keeps_what_is_done_and_cancels_the_rest(lab: Lab, make: Make) -> None:
    cleaned: list[str] = []

    async def careful(first: int) -> None:
        try:
            await anyio.sleep_forever()
        finally:
            cleaned.append("careful")

    async def killer(first: int) -> None:
        await anyio.sleep(3)
        lab.stop.request(signal.SIGTERM)
        await anyio.sleep_forever()

    results = lab.run(make(first), make(careful), make(killer), make(after_broken), make(broken, after=["step.killer"]))
    assert cleaned == ["careful"]
    assert lab.statuses() == {
        "step.first": "passed",
        "step.careful": "cancelled",
        "step.killer": "cancelled",
        "step.broken": "cancelled",
        "step.after_broken": "cancelled",
    }
    assert {result.reason for result in results.values() if result.status == "cancelled"} == {"stopped by SIGTERM"}
    assert results["step.careful"].duration_s == 3.0


def test_a_stop_before_the_start_starts_nothing(lab: Lab, make: Make) -> None:
    lab.stop.request(signal.SIGINT)
    lab.run(make(first), make(slow))
    assert lab.sink.of("started") == []
    assert set(lab.statuses().values()) == {"cancelled"}


def test_a_late_given_is_waited_for_and_does_not_count_as_work(lab: Lab, make: Make, on_jumping_clock: Callable[[Any], Any]) -> None:
    async def asks(client: dagger.Client) -> str:  # type: ignore[name-defined]  # noqa: F821
        return str(client)

    async def main() -> None:
        client: FutureValue[object] = FutureValue()
        lab.givens["dagger.Client"] = client
        async with anyio.create_task_group() as group:
            group.start_soon(lab.go, make(asks), make(slow))
            await anyio.sleep(4)
            client.set("the client")

    on_jumping_clock(main)
    asked = lab.results["step.asks"]
    assert (asked.value, asked.started_s, asked.duration_s) == ("the client", 4.0, 0.0)


def test_a_given_that_cannot_be_had_ends_only_who_asks(lab: Lab, make: Make, on_jumping_clock: Callable[[Any], Any]) -> None:
    async def asks(client: dagger.Client) -> None: ...  # type: ignore[name-defined]  # noqa: F821

    async def main() -> None:
        client: FutureValue[object] = FutureValue()
        client.fail(EngineUnavailable("no engine", next_step="lockgate doctor"))
        lab.givens["dagger.Client"] = client
        await lab.go(make(asks), make(slow))

    on_jumping_clock(main)
    asked = lab.results["step.asks"]
    assert lab.statuses() == {"step.asks": "error", "step.slow": "passed"}
    assert (asked.error_kind, asked.reason, asked.next_step) == ("unavailable", "no engine", "lockgate doctor")
    assert "no engine" in lab.log("step.asks")


def test_the_context_is_the_steps_own(lab: Lab, make: Make) -> None:
    async def who(context: StepContext) -> str:
        context.cached = True
        context.log("hello\nworld")
        return context.id

    result = lab.run(make(who))["step.who"]
    assert (result.value, result.cached, result.tail) == ("step.who", True, ("hello", "world"))
    assert result.log is not None
    assert lab.log("step.who") == "hello\nworld"


def test_only_a_pass_is_cached(lab: Lab, make: Make) -> None:
    async def replayed(context: StepContext) -> Check:
        context.cached = True
        return FAIL

    assert not lab.run(make(replayed))["step.replayed"].cached


def test_an_image_is_a_value(lab: Lab, make: Make) -> None:
    async def build() -> BuiltImage:
        return BuiltImage(name="shop", containers=lambda: None)  # type: ignore[arg-type,return-value]

    async def uses(image: BuiltImage) -> str:
        return image.name

    assert lab.run(make(build, id="image.shop"), make(uses))["step.uses"].value == "shop"


def test_a_long_chain_of_blocked_steps_is_no_recursion(lab: Lab, make: Make) -> None:
    async def link() -> None: ...

    chain = [make(link, id=f"step.n{number}", after=[f"step.n{number - 1}"]) for number in range(1, 3000)]
    lab.run(make(broken, id="step.n0"), *chain)
    assert list(lab.statuses().values()).count("blocked") == 2999
