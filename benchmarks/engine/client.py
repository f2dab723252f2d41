"""What a program of dagger-io sees of an engine: JSON, lists of seconds by name (`python -m benchmarks.engine.client IMAGE ROUNDS`)."""

from __future__ import annotations

import json
import os
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import anyio
import dagger
from dagger import dag

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

ROUNDS = 10


async def timed(work: Callable[[], Awaitable[object]]) -> float:
    started = time.perf_counter()
    await work()
    return time.perf_counter() - started


async def each(work: Callable[[int], Awaitable[object]], rounds: int) -> list[float]:
    return [await timed(lambda index=index: work(index)) for index in range(rounds)]  # type: ignore[misc]


async def measure(image: str, rounds: int) -> dict[str, list[float]]:
    word = str(time.time_ns())
    base = dag.container().from_(image)
    await base.with_exec(["true"]).sync()

    async def fresh(index: int) -> None:
        await base.with_exec(["echo", f"{word}-{index}"]).stdout()

    async def cached(_: int) -> None:
        await base.with_exec(["echo", f"{word}-0"]).stdout()

    async def chain(turn: int) -> None:
        container = base
        for index in range(10):
            container = container.with_exec(["true", f"{word}-{turn}-{index}"])
        await container.sync()

    async def parallel(turn: int) -> None:
        async def one(index: int) -> None:
            await base.with_env_variable("WORD", f"{word}-{turn}-{index}").with_exec(["sleep", "1"]).sync()

        async with anyio.create_task_group() as group:
            for index in range(8):
                group.start_soon(one, index)

    return {
        "fresh exec": await each(fresh, rounds),
        "cached op": await each(cached, rounds),
        "10 chained execs": await each(chain, rounds),
        "8 parallel sleep 1": await each(parallel, rounds),
    }


async def main(image: str, rounds: int) -> None:
    started = time.perf_counter()
    async with dagger.connection(dagger.Config(log_output=Path(os.devnull).open("w"))):  # noqa: ASYNC230
        await dag.default_platform()
        opened = time.perf_counter() - started
        print(json.dumps({"session open, seen by the SDK": [opened], **await measure(image, rounds)}))


if __name__ == "__main__":
    anyio.run(main, sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else ROUNDS)
