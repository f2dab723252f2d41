"""What a container may use: a fork bomb and a memory hog end by themselves, and their neighbours do not notice."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from pipelines.engine.embedded.sandbox.cgroups.controllers import seen
from pipelines.engine.embedded.sandbox.runtime import Runtime
from pipelines.model import EngineSpec

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from tests.integration.engine.machine import Box

KEPT = seen(lambda path: Path(path).read_text() if Path(path).exists() else None, root=True)
pytestmark = [pytest.mark.root, pytest.mark.skipif({"pids", "memory", "cpu"} != KEPT, reason="control groups cannot keep limits here")]

FORKS = """
import os, sys, time
made = 0
try:
    while made < 500:
        if os.fork() == 0:
            time.sleep(60)
        made += 1
except BlockingIOError:
    print("refused after", made)
"""
HOG = """
kept = []
while len(kept) < 64:
    kept.append(bytearray(b"x") * (16 << 20))
print("a gigabyte")
"""


@asynccontextmanager
async def limited(box: Box, limits: EngineSpec) -> AsyncIterator[tuple[Box, list[str]]]:
    notes: list[str] = []
    state = box.folder / "limited"
    state.mkdir()
    runtime = Runtime(state, limits=limits, note=notes.append)
    try:
        yield replace(box, runtime=runtime), notes
    finally:
        await runtime.close()


async def test_a_fork_bomb_ends_at_the_limit_and_its_neighbour_has_its_own(box: Box) -> None:
    async with limited(box, EngineSpec(processes=60)) as (small, notes):
        bomb = await small.runtime.start(small.spec("sh", "-c", "b() { b | b & }; b; sleep 60"))
        try:
            result = await small.python(FORKS)
        finally:
            await bomb.kill()
        assert result.exit.code == 0
        refused, after = result.stdout.split(" after ")
        assert refused == "refused"
        assert 20 < int(after) < 60
        assert (await small.sh("echo fine")).stdout == "fine\n"
        assert notes == []


async def test_the_memory_of_all_containers_together_is_bounded(box: Box) -> None:
    async with limited(box, EngineSpec(memory=256 << 20)) as (small, notes):
        result = await small.python(HOG, init=False)
        assert (result.exit.code, result.exit.signal, result.stdout) == (137, 9, "")
        assert (await small.sh("echo fine")).stdout == "fine\n"
        assert notes == []


async def test_without_a_word_a_container_has_4096_processes_and_goes_first_when_memory_is_short(box: Box) -> None:
    async with limited(box, EngineSpec()) as (usual, _):
        script = "cat /proc/self/oom_score_adj; sleep 60"
        said = asyncio.get_running_loop().create_future()
        running = await usual.runtime.start(usual.spec("sh", "-c", script, init=False), lambda _stream, data: said.set_result(data))
        folders = [line for line in Path(f"/proc/{running.pid}/cgroup").read_text().splitlines() if "lockgate-" in line]
        limits = [file.read_text() for file in usual.folder.rglob("pids.max") if "lockgate-" in str(file.parent.name)]
        score = await said
        await running.kill()
        assert folders
        assert "4096\n" in limits
        assert score == b"500\n"


async def test_nothing_is_left_of_the_groups(box: Box) -> None:
    async with limited(box, EngineSpec(processes=60, memory=256 << 20, cpus=1.0)) as (small, _):
        assert (await small.sh("echo fine")).stdout == "fine\n"
        mounted = [path for path in (small.folder / "limited").iterdir() if path.name.startswith("cgroup")]
        here = {path for folder in mounted for path in folder.rglob("lockgate-*")}
        assert here
    assert not [path for path in here if path.exists()]
