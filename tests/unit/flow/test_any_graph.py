"""Whatever the graph, the outcomes, the number of jobs and the moment of a stop: the same promises."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import anyio
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.errors import StepFailed, Unavailable
from pipelines.model import Status

if TYPE_CHECKING:
    from collections.abc import Callable

    from pipelines.steps.definition import StepDef
    from tests.unit.flow.conftest import Lab

ENDS = {"pass": None, "fail": StepFailed("no"), "away": Unavailable("away"), "defect": ValueError("defect")}


@dataclass(frozen=True)
class Plan:
    needs: tuple[tuple[int, ...], ...]
    ends: tuple[str, ...]
    naps: tuple[int, ...]
    skips: frozenset[int]
    jobs: int
    keep_going: bool
    stop_at: float | None


@st.composite
def plans(draw: st.DrawFn) -> Plan:
    count = draw(st.integers(1, 9))
    return Plan(
        needs=tuple(tuple(sorted(draw(st.sets(st.integers(0, number - 1), max_size=3)))) if number else () for number in range(count)),
        ends=tuple(draw(st.lists(st.sampled_from(["pass", "pass", "pass", *ENDS]), min_size=count, max_size=count))),
        naps=tuple(draw(st.lists(st.integers(0, 3), min_size=count, max_size=count))),
        skips=frozenset(draw(st.sets(st.integers(0, count - 1), max_size=2))),
        jobs=draw(st.integers(1, 4)),
        keep_going=draw(st.booleans()),
        stop_at=draw(st.none() | st.floats(0.25, 6.0)),
    )


@settings(deadline=None, max_examples=300)
@given(plan=plans())
def test_the_promises(
    plan: Plan,
    new_lab: Callable[[Path], Lab],
    make: Callable[..., StepDef],
    on_jumping_clock: Callable[[object], object],
) -> None:
    at_work: set[int] = set()
    most = 0

    def work(number: int) -> Callable[[], object]:
        async def body() -> None:
            nonlocal most
            at_work.add(number)
            most = max(most, len(at_work))
            try:
                await anyio.sleep(plan.naps[number])
            finally:
                at_work.remove(number)
            error = ENDS[plan.ends[number]]
            if error is not None:
                raise error

        return body

    def named(number: int) -> str:
        return f"step.s{number}"

    steps = [
        make(work(number), id=named(number), after=[named(need) for need in needs], skip="no" if number in plan.skips else None)
        for number, needs in enumerate(plan.needs)
    ]
    with tempfile.TemporaryDirectory() as folder:
        lab = new_lab(Path(folder))

        async def main() -> None:
            async with anyio.create_task_group() as group:
                if plan.stop_at is not None:
                    group.start_soon(stopper, plan.stop_at)
                await lab.go(*steps, jobs=plan.jobs, keep_going=plan.keep_going)
                group.cancel_scope.cancel()

        async def stopper(seconds: float) -> None:
            await anyio.sleep(seconds)
            lab.stop.request(15)

        on_jumping_clock(main)
        check(plan, lab, most)


def check(plan: Plan, lab: Lab, most: int) -> None:
    ended = [lab.results[f"step.s{number}"] for number in range(len(plan.needs))]
    started = {event[1] for event in lab.sink.of("started")}
    assert most <= plan.jobs
    assert sorted(event[1] for event in lab.sink.of("finished")) == sorted(lab.results)
    for number, result in enumerate(ended):
        needed = [ended[need] for need in plan.needs[number]]
        if result.id in started:
            assert all(needed)
            assert result.status in (Status.PASSED, Status.FAILED, Status.ERROR, Status.CANCELLED)
            assert result.status is Status.CANCELLED or bool(result) == (plan.ends[number] == "pass")
        else:
            assert result.status in (Status.SKIPPED, Status.BLOCKED, Status.CANCELLED)
        if result.status is Status.BLOCKED:
            assert any(need.status not in (Status.PASSED, Status.CANCELLED) for need in needed)
        if result.status is Status.SKIPPED:
            assert number in plan.skips
    stopped = any(result.status is Status.CANCELLED for result in ended)
    failed = any(result.status in (Status.FAILED, Status.ERROR) for result in ended)
    assert not stopped or plan.stop_at is not None or (failed and not plan.keep_going)
