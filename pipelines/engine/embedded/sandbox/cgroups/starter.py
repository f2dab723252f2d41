"""Starts the OCI runtime inside the control groups that limit what it starts.

A runtime sets limits in version 2 hierarchies by itself. It does not know of the version 1 hierarchies beside them: there a process is in
the group of the thread that started it. So one thread of ours starts all programs; while it does, it is in the group of the container.
"""

from __future__ import annotations

import asyncio
import contextlib
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

from pipelines.engine.embedded.errors import EngineError
from pipelines.engine.embedded.sandbox.cgroups.controllers import write

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

_MYSELF = "0"  # what a thread writes to a `tasks` file to be moved itself


class Starter:
    """Starts programs in the calling thread, which is in no group of its own."""

    async def start(self, container: str, call: Callable[[], int]) -> int:  # noqa: ARG002 - for those that have groups
        """Make `call` (which starts a program and gives its pid) within the groups of a container."""
        return call()

    def remove(self, container: str) -> None:
        """Remove what `start` made for a container that has ended."""

    def close(self) -> None:
        """Let go of the groups."""


class GroupStarter(Starter):
    """Starts programs in a thread that is in version 1 groups.

    Args:
        shared: directories that limit all containers together.
        processes: the directory that has one for each container below it, and the number of processes each may have.
    """

    def __init__(self, shared: tuple[Path, ...], processes: tuple[Path, int] | None) -> None:
        self._shared = shared
        self._processes = processes
        self._joined = False
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="starter")

    async def start(self, container: str, call: Callable[[], int]) -> int:
        return await asyncio.get_running_loop().run_in_executor(self._thread, self._start, container, call)

    def remove(self, container: str) -> None:
        if self._processes is not None:
            with contextlib.suppress(OSError):
                (self._processes[0] / container).rmdir()

    def close(self) -> None:
        self._thread.shutdown()

    def _start(self, container: str, call: Callable[[], int]) -> int:
        if not self._joined:
            for folder in self._shared:
                _join(folder)
            self._joined = True
        if self._processes is None:
            return call()
        parent, most = self._processes
        own = parent / container
        own.mkdir(exist_ok=True)
        if not write(own / "pids.max", str(most)):
            raise EngineError(f"the container could not be limited to {most} processes")
        _join(own)
        try:
            return call()
        finally:
            _join(parent)  # a group with a thread in it could not be removed


def _join(folder: Path) -> None:
    if not write(folder / "tasks", _MYSELF):
        raise EngineError(f"the container could not be limited: {folder.name} of {folder.parent.name} does not accept a process")
