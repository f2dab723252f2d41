"""What the flow itself costs: planning 5,000 steps, 1,000 steps that do nothing, steps that only sleep."""

from __future__ import annotations

import asyncio
import random
import tempfile
import time
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.figures import Row, sample
from pipelines.flow.attempts import ForeignErrors
from pipelines.flow.dependencies import RunDependencies, real_dependencies
from pipelines.flow.request import RunRequest
from pipelines.flow.run import plan_project, run_project
from pipelines.model import Project, Run, Source, Status
from pipelines.steps.definition import Parameter, StepDef

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

PLANNED = 5000
PLANNED_LIMIT_S = 2.0
NOOPS = 1000
NOOP_LIMIT_MS = 1.0
SLEEPERS = 60
SLEEP_LIMIT_RATIO = 1.05
MOST_ROUNDS = 5


def step(number: int, work: Callable[[], Awaitable[object]], after: Sequence[int] = (), takes: Sequence[int] = ()) -> StepDef:
    """A step that comes after others, or takes their values."""
    return StepDef(
        id=f"bench.s{number}",
        kind="bench",
        name=f"s{number}",
        parameters=tuple(Parameter(name=f"bench_s{before}", annotation="Check") for before in takes),
        provides="Check",
        load=lambda: work,
        after=tuple(f"bench.s{before}" for before in after),
    )


def dependencies(steps: Sequence[StepDef]) -> RunDependencies:
    """The real ones but for the steps, foreign errors (it would import dagger's names) and git."""
    return replace(real_dependencies(), builtin=lambda *_: steps, foreign=ForeignErrors, read_source=lambda root: Source(root=str(root)))


def run(steps: Sequence[StepDef], jobs: int) -> tuple[Run, float, float]:
    """A whole run, with folder, logs, state and reports; its wall time and processor time in seconds."""
    with tempfile.TemporaryDirectory() as folder:
        project = Project(name="bench", root=Path(folder), jobs=jobs)
        started, worked = time.perf_counter(), time.process_time()
        result = asyncio.run(run_project(project, RunRequest(), dependencies=dependencies(steps)))
        seconds, work = time.perf_counter() - started, time.process_time() - worked
    if any(end.status is not Status.PASSED for end in result.results):
        raise SystemExit("a step of the benchmark did not pass")
    return result, seconds, work


def planning(rounds: int) -> Row:
    """A plan of 5,000 steps, each of which takes the values of the three before it."""

    async def nothing() -> None: ...

    steps = [step(number, nothing, takes=range(max(number - 3, 0), number)) for number in range(PLANNED)]
    found = []
    for _ in range(rounds):
        started = time.process_time()
        plan_project(Project(name="bench", root=Path()), RunRequest(), dependencies(steps))
        found.append(time.process_time() - started)
    return Row(f"planning {PLANNED} steps that take values", "s CPU", sample(found), PLANNED_LIMIT_S)


def noops(rounds: int) -> Row:
    """1,000 steps in layers of ten, each after all of the layer before."""

    async def nothing() -> None: ...

    steps = [step(number, nothing, range(number // 10 * 10 - 10, number // 10 * 10) if number >= 10 else ()) for number in range(NOOPS)]
    found = [run(steps, jobs=8)[2] * 1000 / NOOPS for _ in range(rounds)]
    return Row(f"a step that does nothing, in a run of {NOOPS}", "ms CPU", sample(found), NOOP_LIMIT_MS)


def sleepers(rounds: int) -> Row:
    """A random graph of steps that sleep 40 to 400 ms: wall time over the longest path through it."""
    chance = random.Random(7)
    naps = [chance.uniform(0.04, 0.4) for _ in range(SLEEPERS)]
    needs = [sorted(chance.sample(range(number), min(number, chance.randint(0, 3)))) for number in range(SLEEPERS)]
    longest: list[float] = []
    for nap, before in zip(naps, needs, strict=True):
        longest.append(nap + max((longest[need] for need in before), default=0.0))
    steps = [step(number, lambda nap=nap: asyncio.sleep(nap), needs[number]) for number, nap in enumerate(naps)]  # type: ignore[misc]
    found = [run(steps, jobs=SLEEPERS)[1] / max(longest) for _ in range(rounds)]
    return Row(f"{SLEEPERS} steps that sleep: wall time over critical path", "ratio", sample(found), SLEEP_LIMIT_RATIO)


def rows(rounds: int) -> list[Row]:
    """The three, with five rounds at most: they differ little."""
    rounds = min(rounds, MOST_ROUNDS)
    return [planning(rounds), noops(rounds), sleepers(rounds)]
