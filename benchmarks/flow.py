"""What the flow itself costs: planning 5,000 steps, 1,000 steps that do nothing, steps that only sleep. Ends with 1 when a limit is passed.

python benchmarks/flow.py [--json]
"""

from __future__ import annotations

import asyncio
import json
import random
import sys
import tempfile
import time
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from pipelines.flow.attempts import ForeignErrors
from pipelines.flow.dependencies import RunDependencies, real_dependencies
from pipelines.flow.request import RunRequest
from pipelines.flow.run import plan_project, run_project
from pipelines.model import Project, Run, Source, Status
from pipelines.steps.definition import Parameter, StepDef

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

PLANNED = 5000
PLANNED_LIMIT_MS = 0.4
NOOPS = 1000
NOOP_LIMIT_MS = 1.0
SLEEPERS = 60
SLEEP_LIMIT_RATIO = 1.05
ROUNDS = 3


@dataclass(frozen=True)
class Figure:
    """A measured figure and its limit."""

    name: str
    value: float
    limit: float
    unit: str

    @property
    def kept(self) -> bool:
        return self.value <= self.limit


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


def run(steps: Sequence[StepDef], jobs: int) -> tuple[Run, float]:
    """A whole run, with folder, logs, state and reports; and its wall time in seconds."""
    with tempfile.TemporaryDirectory() as folder:
        project = Project(name="bench", root=Path(folder), jobs=jobs)
        started = time.perf_counter()
        result = asyncio.run(run_project(project, RunRequest(), dependencies=dependencies(steps)))
        seconds = time.perf_counter() - started
    if any(end.status is not Status.PASSED for end in result.results):
        raise SystemExit("a step of the benchmark did not pass")
    return result, seconds


def planning() -> Figure:
    """A plan of 5,000 steps, each of which takes the values of the three before it; processor time."""

    async def nothing() -> None: ...

    steps = [step(number, nothing, takes=range(max(number - 3, 0), number)) for number in range(PLANNED)]
    best = float("inf")
    for _ in range(ROUNDS):
        started = time.process_time()
        plan_project(Project(name="bench", root=Path()), RunRequest(), dependencies(steps))
        best = min(best, time.process_time() - started)
    return Figure(f"planning one of {PLANNED} steps", best * 1000 / PLANNED, PLANNED_LIMIT_MS, "ms")


def noops() -> Figure:
    """1,000 steps in layers of ten, each after all of the layer before."""

    async def nothing() -> None: ...

    steps = [step(number, nothing, range(number // 10 * 10 - 10, number // 10 * 10) if number >= 10 else ()) for number in range(NOOPS)]
    best = min(run(steps, jobs=8)[1] for _ in range(ROUNDS))
    return Figure("a step that does nothing, whole run", best * 1000 / NOOPS, NOOP_LIMIT_MS, "ms")


def sleepers() -> Figure:
    """A random graph of steps that sleep 40 to 400 ms: wall time over the longest path through it."""
    chance = random.Random(7)
    naps = [chance.uniform(0.04, 0.4) for _ in range(SLEEPERS)]
    needs = [sorted(chance.sample(range(number), min(number, chance.randint(0, 3)))) for number in range(SLEEPERS)]
    longest: list[float] = []
    for nap, before in zip(naps, needs, strict=True):
        longest.append(nap + max((longest[need] for need in before), default=0.0))
    steps = [step(number, lambda nap=nap: asyncio.sleep(nap), needs[number]) for number, nap in enumerate(naps)]  # type: ignore[misc]
    best = min(run(steps, jobs=SLEEPERS)[1] for _ in range(ROUNDS))
    return Figure(f"wall over critical path ({max(longest):.2f} s)", best / max(longest), SLEEP_LIMIT_RATIO, "x")


def main() -> int:
    """Measure, print, judge."""
    figures = [planning(), noops(), sleepers()]
    if "--json" in sys.argv[1:]:
        print(json.dumps([{**asdict(figure), "kept": figure.kept} for figure in figures], indent=2))
    else:
        for figure in figures:
            print(f"{'ok  ' if figure.kept else 'OVER'} {figure.name}: {figure.value:.3f} {figure.unit} (limit {figure.limit:g})")
    return 0 if all(figure.kept for figure in figures) else 1


if __name__ == "__main__":
    sys.exit(main())
