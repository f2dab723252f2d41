"""`kill -9` of any process of the engine at any moment: the next session finds a store that opens and tells no lies."""

from __future__ import annotations

import asyncio
import itertools
import os
import random
import signal
import time
from typing import TYPE_CHECKING

import pytest

from tests.faults.cgroups import leftovers
from tests.faults.engine import PROGRAM, Engine, Engines, mounts_naming
from tests.faults.work import Piece

if TYPE_CHECKING:
    from collections.abc import Iterator

    import dagger

pytestmark = [pytest.mark.engine, pytest.mark.root]

WORKERS = 3
CHECKED = 12  # pieces looked at again after each kill


class Hammer:
    """A client that does all it can until the engine is killed under its hands."""

    def __init__(self, image: str, address: str, names: Iterator[str]) -> None:
        self.begun: list[Piece] = []
        self._image = image
        self._address = address
        self._names = names
        self._killed = False

    async def until_killed(self, engine: Engine, victim: int, delay: float) -> None:
        self._killed = False
        async with engine.client() as client, asyncio.TaskGroup() as group:
            for index in range(WORKERS):
                group.create_task(self._work(client, publishes=index == 0))
            await asyncio.sleep(delay)  # the moment
            self._killed = True
            os.kill(victim, signal.SIGKILL)

    async def _work(self, client: dagger.Client, *, publishes: bool) -> None:
        while not self._killed:
            piece = Piece(next(self._names))
            self.begun.append(piece)
            try:
                await (piece.publish(client, self._image, self._address) if publishes else piece.check(client, self._image))
            except Exception:
                if not self._killed:
                    raise


async def rounds(engines: Engines, image: str, address: str, count: int, seed: int) -> None:
    chance = random.Random(seed)
    hammer = Hammer(image, address, (f"p{seed}x{number}" for number in itertools.count()))
    for number in range(count):
        where = f"round {number} of seed {seed}"
        kill_at_start(engines, chance.uniform(0, 0.6))
        engine = engines.start()
        async with engine.client() as client:
            for piece in chance.sample(hammer.begun, min(CHECKED, len(hammer.begun))):
                await piece.check(client, image)
        await hammer.until_killed(engine, chance.choice(engine.pids), chance.uniform(0, 1.5))
        await asyncio.to_thread(engine.wait_until_gone)
        assert engine.survivors() == [], where
        assert mounts_naming(engines.store) == [], where
        assert "internal error" not in engine.said, engine.said
    await all_is_well(engines, hammer.begun, image)


def kill_at_start(engines: Engines, delay: float) -> None:
    """Kill a session that nobody has spoken to yet."""
    import subprocess

    environ = {**os.environ, "LOCKGATE_STORE": str(engines.store)}
    pipe = subprocess.PIPE
    with subprocess.Popen([PROGRAM, "session"], stdin=pipe, stdout=subprocess.DEVNULL, stderr=pipe, env=environ) as process:
        time.sleep(delay)  # the moment
        process.kill()
        assert process.stderr is not None
        process.stderr.read()  # to its end: nothing of the session is left to write there


async def all_is_well(engines: Engines, pieces: list[Piece], image: str) -> None:
    """A last session looks at everything, ends in good order, and takes what the dead ones left."""
    left = leftovers()
    engine = engines.start()
    async with engine.client() as client:
        for piece in pieces:
            await piece.check(client, image)
    assert engine.close() == 0
    assert leftovers() & left == set()
    assert sorted(path.name for path in (engines.root / "tmp").iterdir()) == []
    assert [path.name for path in (engines.root / "locks/sessions").iterdir() if not path.name.startswith(".")] == []
    assert len(pieces) > 2 * WORKERS


@pytest.mark.timeout(300)
async def test_killed_at_any_moment_the_store_opens_and_tells_no_lies(engines: Engines, image: str, registry: str) -> None:
    seed = time.time_ns() % 10**6
    await rounds(engines, image, f"{registry}/faults/kill", 10, seed)


@pytest.mark.slow
@pytest.mark.timeout(3000)
async def test_killed_a_hundred_times(engines: Engines, image: str, registry: str) -> None:
    seed = time.time_ns() % 10**6
    await rounds(engines, image, f"{registry}/faults/kill", 100, seed)
