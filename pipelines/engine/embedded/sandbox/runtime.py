"""Runs containers."""

from __future__ import annotations

import asyncio
import itertools
import os
from typing import TYPE_CHECKING, TypeVar

from pipelines.engine.embedded import kernel
from pipelines.engine.embedded.sandbox.binary import find_init, find_runtime
from pipelines.engine.embedded.sandbox.cgroups.cgroups import Cgroups
from pipelines.engine.embedded.sandbox.config import HostSupport
from pipelines.engine.embedded.sandbox.container import Container, ContainerTools
from pipelines.engine.embedded.sandbox.launch import CannotStart
from pipelines.engine.embedded.sandbox.output import StandardStreams
from pipelines.engine.embedded.sandbox.rootfs.ids import Ids
from pipelines.engine.embedded.sandbox.running import RunningCommand
from pipelines.engine.embedded.sandbox.spec import CommandExit
from pipelines.model import EngineSpec
from pipelines.model.project import PROCESSES

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine
    from pathlib import Path
    from typing import Any

    from pipelines.engine.embedded.sandbox.spec import ContainerSpec, OnOutput

RUNTIME_VARIABLE = "LOCKGATE_RUNTIME"  # names the OCI runtime to use

_T = TypeVar("_T")


class Runtime:
    """Starts commands in containers of an OCI runtime; one per session, made inside its jail.

    The process becomes a subreaper, because the runtime ends before the container that it starts, and this process waits for the container.
    In its mount namespace, which must be private, /sys/fs/cgroup is replaced by the session's own cgroup.

    Args:
        state: an empty directory in memory (tmpfs): bundles with secrets are written there.
        rootless: inside an ordinary user's user namespace.
        limits: what containers may use, kept to as far as this machine allows.
        note: called once, with one line that says which limits of `[engine]` cannot be set here.
    """

    def __init__(
        self, state: Path, *, rootless: bool = False, limits: EngineSpec | None = None, note: Callable[[str], object] = lambda _: None
    ) -> None:
        self._state = state
        self._rootless = rootless
        self._limits = limits or EngineSpec()
        self._note = note
        prefix = os.urandom(4).hex()  # runtimes without a cgroup of ours may use the name where everybody does
        self._names = (f"lockgate-{prefix}-{number}" for number in itertools.count(1))
        self._tools: asyncio.Task[ContainerTools] | None = None
        self._live: set[RunningCommand] = set()
        self._tasks: set[asyncio.Task[Any]] = set()

    async def prepare(self) -> None:
        """Find programs and make the cgroup ahead of the first run; may be called again, and need not be called.

        Raises:
            Unavailable: no OCI runtime is installed.
        """
        await self._prepared()

    def prepare_soon(self) -> None:
        """Prepare in the background; the first run raises what goes wrong."""
        self._preparing().add_done_callback(lambda done: done.cancelled() or done.exception())

    async def run(self, spec: ContainerSpec, on_output: OnOutput | None = None) -> CommandExit:
        """Run a command to its end. Cancelled, it is interrupted, terminated, killed; either way nothing of it is left.

        Raises:
            InvalidInput: the user is not in the container's passwd or group file, or cannot exist in this user namespace.
            EngineError: the container could not be set up. (A command that is not found is an `Exit` with `error`.)
        """
        try:
            running = await self.start(spec, on_output)
        except CannotStart as problem:
            return _not_started(problem, spec, on_output)
        try:
            return await running.wait()
        except asyncio.CancelledError:
            await self._to_the_end(running.interrupt())
            raise

    async def start(self, spec: ContainerSpec, on_output: OnOutput | None = None) -> RunningCommand:
        """Start a command and return when it runs.

        Raises:
            CannotStart: the program does not exist or cannot be executed.
            InvalidInput: the user is not in the container's passwd or group file, or cannot exist in this user namespace.
            EngineError: the container could not be set up.
        """
        tools = await self._prepared()
        starting = asyncio.ensure_future(self._start(tools, spec, on_output))
        try:
            return await self._to_the_end(starting)
        except asyncio.CancelledError:
            await self._to_the_end(_abandon(starting))
            raise

    async def close(self) -> None:
        """Kill what still runs, and release everything; may be called twice."""
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await asyncio.gather(*(running.kill() for running in self._live), return_exceptions=True)
        preparing, self._tools = self._tools, None
        if preparing is not None:
            await asyncio.wait({preparing})
            if preparing.exception() is None:
                preparing.result().close()

    async def _prepared(self) -> ContainerTools:
        return await asyncio.shield(self._preparing())

    def _preparing(self) -> asyncio.Task[ContainerTools]:
        if self._tools is None:
            self._tools = asyncio.ensure_future(self._prepare_and_tell())
        return self._tools

    async def _prepare_and_tell(self) -> ContainerTools:
        tools = await asyncio.to_thread(self._prepare)
        if lacks := _missing_limits(self._limits, tools.cgroups):
            limits = " and ".join(lacks)
            self._note(f"this machine cannot set the limits of [engine] for {limits}; lockgate doctor says why")
        return tools

    def _prepare(self) -> ContainerTools:
        binary = find_runtime(os.environ.get(RUNTIME_VARIABLE))
        kernel.prctl(kernel.PR_SET_CHILD_SUBREAPER, 1)
        for name in ("bundles", "runtime", "cgroup"):
            (self._state / name).mkdir(mode=0o700)
        cgroups = Cgroups.enter(self._state / "cgroup", self._limits, rootless=self._rootless)
        processes = cgroups.processes if cgroups is not None else None
        host = HostSupport(self._rootless, cgroups is not None, binary.seccomp, find_init(), processes)
        return ContainerTools(binary, cgroups, host, Ids.of_this_process(), self._state)

    async def _start(self, tools: ContainerTools, spec: ContainerSpec, on_output: OnOutput | None) -> RunningCommand:
        container = Container(spec, tools, next(self._names))
        try:
            child, output = await container.run(StandardStreams(spec.capture, spec.stdin, spec.masks, on_output))
        except BaseException:
            container.kill()
            container.tidy()
            raise
        running = RunningCommand(child, output, container)
        self._live.add(running)
        running.on_end(self._live.discard)
        return running

    async def _to_the_end(self, work: Coroutine[Any, Any, _T] | asyncio.Future[_T]) -> _T:
        """Wait for work that goes on when the waiting is cancelled, and that `close` waits for."""
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return await asyncio.shield(task)


def _missing_limits(limits: EngineSpec, cgroups: Cgroups | None) -> list[str]:
    """The limits that somebody asked for and that are not kept; the default number of processes is not mentioned."""
    asked = {"memory": limits.memory is not None, "cpus": limits.cpus is not None, "processes": limits.processes != PROCESSES}
    lacks = cgroups.lacks if cgroups is not None else tuple(asked)
    return [name for name in asked if asked[name] and name in lacks]


async def _abandon(starting: asyncio.Future[RunningCommand]) -> None:
    """What is starting cannot be stopped half way: wait until it runs, then kill it."""
    try:
        running = await starting
    except Exception:  # noqa: BLE001 - it did not start, so there is nothing to kill
        return
    await running.kill()


def _not_started(problem: CannotStart, spec: ContainerSpec, on_output: OnOutput | None) -> CommandExit:
    """Say on standard error, as the command itself would, why it could not be started."""
    line = f"{problem.message}\n".encode()
    for path in (spec.capture.stdout, spec.capture.stderr, spec.capture.combined):
        if path is not None:
            path.write_bytes(b"" if path is spec.capture.stdout else line)
    if on_output is not None:
        on_output("stderr", line)
    return CommandExit(1, None, problem.message)
