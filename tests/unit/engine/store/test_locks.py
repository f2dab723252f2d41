from __future__ import annotations

import asyncio
import os
import sys
import threading
import time
from typing import TYPE_CHECKING

import pytest

from pipelines.engine.embedded.store.objects.locks import Locks

if TYPE_CHECKING:
    from pathlib import Path

HOLDER = """
import asyncio, sys
from pathlib import Path
from pipelines.engine.embedded.store.objects.locks import Locks
async def main():
    async with Locks(Path(sys.argv[1])).hold("key"):
        print("held", flush=True)
        sys.stdin.read()
asyncio.run(main())
"""


async def test_one_holds_it_the_others_wait_their_turn(tmp_path: Path) -> None:
    locks, inside, most = Locks(tmp_path), 0, 0

    async def work() -> None:
        nonlocal inside, most
        async with locks.hold("key"):
            inside += 1
            most = max(most, inside)
            await asyncio.sleep(0)
            inside -= 1

    await asyncio.gather(*(work() for _ in range(20)))
    assert most == 1
    assert list(tmp_path.iterdir()) == []


def test_threads_that_come_and_go_never_hold_it_together(tmp_path: Path) -> None:
    """The file is removed with every release, so who opened it before may lock one that is no longer there: that is not the lock."""
    locks, stop = Locks(tmp_path), time.monotonic() + 1
    path = locks.path("key")
    inside: list[int] = []
    met: set[int] = set()

    def work() -> None:
        while time.monotonic() < stop:
            fd = locks.attempt(path)
            if fd is not None:
                inside.append(fd)
                path.parent.stat()  # lets the other threads run
                met.add(len(inside))
                inside.remove(fd)
                path.unlink()
                os.close(fd)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert met == {1}


async def test_keys_do_not_wait_for_each_other(tmp_path: Path) -> None:
    locks = Locks(tmp_path)
    async with locks.hold("one"), locks.hold("two"):
        assert len(list(tmp_path.iterdir())) == 2


async def test_shared_holders_stand_together_and_exclude_the_others(tmp_path: Path) -> None:
    locks = Locks(tmp_path)
    async with locks.hold("key", shared=True, keep=True), locks.hold("key", shared=True, keep=True):
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.05), locks.hold("key"):
                pass
    async with asyncio.timeout(5), locks.hold("key"):
        pass


async def test_waiting_can_be_cancelled_and_leaves_nothing_held(tmp_path: Path) -> None:
    locks = Locks(tmp_path)
    async with locks.hold("key"):
        waiter = asyncio.create_task(locks.hold("key").__aenter__())
        await asyncio.sleep(0.01)
        waiter.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiter
    async with asyncio.timeout(5), locks.hold("key"):
        pass


async def test_another_process_holds_it_until_it_is_killed(tmp_path: Path) -> None:
    locks, pipe = Locks(tmp_path), asyncio.subprocess.PIPE
    holder = await asyncio.create_subprocess_exec(sys.executable, "-c", HOLDER, str(tmp_path), stdin=pipe, stdout=pipe)
    assert holder.stdout is not None
    assert await holder.stdout.readline() == b"held\n"
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.05), locks.hold("key"):
            pass
    holder.kill()
    async with asyncio.timeout(5), locks.hold("key"):
        pass
    await holder.wait()
