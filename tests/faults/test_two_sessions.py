"""Two sessions on one store at once: the same answers, and each command run once."""

from __future__ import annotations

import asyncio
import random
from typing import TYPE_CHECKING

import pytest

from tests.faults.work import Piece

if TYPE_CHECKING:
    import dagger

    from tests.faults.engine import Engines

pytestmark = [pytest.mark.engine, pytest.mark.root]

PIECES = [Piece(f"piece{number}") for number in range(6)]
STAMPS = 12


def stamp(client: dagger.Client, image: str, number: int) -> dagger.Container:
    """A command whose output differs each time it really runs, on what another such made."""
    base = client.container().from_(image).with_exec(["sh", "-c", f"date +%s%N > /before; echo {number % 3}"])
    return base.with_exec(["sh", "-c", f"cat /before; date +%s%N; echo {number}"])


async def hammer(client: dagger.Client, image: str, seed: int) -> dict[int, str]:
    """All the work, each in an order of its own."""
    chance = random.Random(seed)
    pieces, numbers = PIECES[:], list(range(STAMPS))
    chance.shuffle(pieces)
    chance.shuffle(numbers)

    async def stamps() -> dict[int, str]:
        return {number: await stamp(client, image, number).stdout() for number in numbers}

    async def checks() -> None:
        for piece in pieces:
            await piece.check(client, image)

    found, _ = await asyncio.gather(stamps(), checks())
    return found


@pytest.mark.timeout(240)
async def test_same_answers_and_each_command_once(engines: Engines, image: str) -> None:
    one, other = engines.start(), engines.start()
    async with one.client() as first, other.client() as second:
        found = await asyncio.gather(*(hammer(client, image, seed) for seed, client in enumerate((first, second, first, second))))
    assert all(each == found[0] for each in found)
    ran = [line for engine in (one, other) for line in engine.said.splitlines() if line.startswith("exec: ") and "(cached)" not in line]
    commands = [line.rsplit(" ", 1)[0] for line in ran if "echo" in line and "%s%N" in line]
    assert len(commands) == len(set(commands)) == STAMPS + 3
    assert (one.close(), other.close()) == (0, 0)
