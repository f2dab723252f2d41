"""A container that runs."""

from __future__ import annotations

import asyncio
import signal
from typing import TYPE_CHECKING

from pipelines.engine.embedded.sandbox.output import StandardStreams
from pipelines.engine.embedded.sandbox.spec import CaptureFiles, CommandExit

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from pipelines.engine.embedded.child import Child
    from pipelines.engine.embedded.sandbox.container import Container
    from pipelines.engine.embedded.sandbox.output import ContainerOutput
    from pipelines.engine.embedded.sandbox.spec import OnOutput

GRACE = 10.0  # seconds a service has to end after SIGTERM
INTERRUPT_GRACE = 0.1  # seconds a cancelled command has to end after SIGINT, then again after SIGTERM; a Dagger engine gives none


class RunningCommand:
    """One started command: its first process, its output, and the container that is tidied away when it has ended."""

    def __init__(self, child: Child, output: ContainerOutput, container: Container) -> None:
        self._child = child
        self._output = output
        self._container = container
        self._finished = asyncio.get_running_loop().create_task(self._finish())

    @property
    def pid(self) -> int:
        """The first process's id in the engine's pid namespace."""
        return self._child.pid

    @property
    def running(self) -> bool:
        """Whether its first process has not ended yet."""
        return self._child.running

    async def wait(self) -> CommandExit:
        """How it ended, when its output is complete and nothing of it is left. Cancelling the wait does not stop the command.

        Raises:
            OSError: output could not be written to its files.
        """
        return await asyncio.shield(self._finished)

    def signal(self, number: int) -> None:
        """Send a signal to the first process; nothing happens when it has ended."""
        self._child.send(number)

    async def stop(self, grace: float = GRACE) -> CommandExit:
        """Ask it to end (SIGTERM), kill it after `grace` seconds, at once when its first process ignores SIGTERM."""
        return await self._end((signal.SIGTERM, grace))

    async def interrupt(self, grace: float = INTERRUPT_GRACE) -> CommandExit:
        """End a cancelled command: SIGINT, after `grace` seconds SIGTERM, after as much again SIGKILL."""
        return await self._end((signal.SIGINT, grace), (signal.SIGTERM, grace))

    async def kill(self) -> CommandExit:
        """End it now."""
        return await self._end()

    def on_end(self, callback: Callable[[RunningCommand], object]) -> None:
        """Call back when all is over and tidied."""
        self._finished.add_done_callback(lambda _: callback(self))

    async def exec(self, args: Sequence[str], on_output: OnOutput | None = None) -> CommandExit:
        """Run another command in the same container, as the same user in the same environment; cancelled, it is killed.

        Raises:
            CannotStart: the program does not exist, or the container has ended.
        """
        child, output = await self._container.exec(args, StandardStreams(CaptureFiles(), on_output=on_output))
        try:
            ended = await child.wait()
            await output.wait()
        except asyncio.CancelledError:
            child.send(signal.SIGKILL)
            await child.wait()
            raise
        finally:
            output.close()
        return CommandExit(ended.code, ended.signal)

    async def _end(self, *steps: tuple[int, float]) -> CommandExit:
        for number, grace in steps:
            if self._child.handles(number):
                self._child.send(number)
                await asyncio.wait({self._finished}, timeout=grace)
        self._child.send(signal.SIGKILL)
        return await self.wait()

    async def _finish(self) -> CommandExit:
        try:
            ended = await self._child.wait()
            await self._output.wait()
        finally:
            self._container.tidy()
        return CommandExit(ended.code, ended.signal)
