"""The event loop of a command that runs code of the project: it ends although that code does not."""

from __future__ import annotations

import asyncio
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

Value = TypeVar("Value")

_LEFT_S = 2.0
"""Seconds that tasks and threads have to end after the main coroutine has."""
_UNCLOSED: list[asyncio.Runner] = []  # loops whose tasks are not done: collected as garbage, they would complain


def run_on_own_loop(main: Callable[[], Coroutine[object, object, Value]]) -> Value:
    """Run a coroutine function, as `asyncio.run` does, but wait for what it left at work for 2 s at most (`asyncio.run`: for ever).

    A task that still does not end makes no progress any more; a thread goes on until the process ends, which has to be by `os._exit`.
    """
    runner, threads = asyncio.Runner(), ThreadPoolExecutor(thread_name_prefix="lockgate")
    runner.get_loop().set_default_executor(threads)
    try:
        return runner.run(main())
    finally:
        if runner.run(_tasks_end()) and _threads_end(threads):
            runner.close()
        else:
            _UNCLOSED.append(runner)


async def _tasks_end() -> bool:
    left = asyncio.all_tasks() - {asyncio.current_task()}
    for task in left:
        task.cancel()
    if left:
        await asyncio.wait(left, timeout=_LEFT_S)
    return all(task.done() for task in left)


def _threads_end(threads: ThreadPoolExecutor) -> bool:
    waiting = threading.Thread(target=threads.shutdown, daemon=True)
    waiting.start()
    waiting.join(_LEFT_S)
    return not waiting.is_alive()
