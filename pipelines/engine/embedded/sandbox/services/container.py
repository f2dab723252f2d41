"""A container as a service: usable when its ports answer or its health check passes; its last output is kept for errors."""

from __future__ import annotations

import asyncio
import functools
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pipelines.engine.embedded.errors import EngineError, ExecError, NetworkError, ServiceError
from pipelines.engine.embedded.sandbox.launch import CannotStart
from pipelines.engine.embedded.sandbox.services.health import HealthProbe, health_command, ports_open
from pipelines.engine.embedded.sandbox.services.runner import (
    CannotServe,
    RunningService,
    ServicePort,
    ServiceRunner,
    StopMode,
    while_up,
)
from pipelines.engine.embedded.sandbox.spec import CommandExit

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Mapping, Sequence
    from contextlib import AbstractAsyncContextManager

    from pipelines.engine.embedded.network.switch import Switch
    from pipelines.engine.embedded.sandbox.running import RunningCommand
    from pipelines.engine.embedded.sandbox.runtime import Runtime
    from pipelines.engine.embedded.sandbox.spec import ContainerSpec, OnOutput, Stream

KEPT = 128 * 1024  # bytes of each of a service's output streams that are kept: the last ones


class ServiceDied(CannotServe):
    """A service's container ended before it could be used."""

    def __init__(self, host: str, cmd: Sequence[str], exit_: CommandExit, stdout: str, stderr: str) -> None:
        super().__init__(f"start {host}: exit code: {exit_.code}")
        self._host, self._cmd, self._code, self._stdout, self._stderr = host, list(cmd), exit_.code, stdout, stderr

    def seen_by(self, alias: str) -> EngineError:
        name = f"{self._host} (aliased as {alias})" if alias else self._host
        return ServiceError(self._cmd, self._code, self._stdout, self._stderr, f"start {name}: exit code: {self._code}")


class ServiceUnhealthy(CannotServe):
    """A service's health check failed; in Dagger's words (core/service.go)."""

    def __init__(self, host: str, problem: BaseException) -> None:
        said = problem.message if isinstance(problem, EngineError) else str(problem)
        super().__init__(f"start {host}: health check errored: {said}")
        self._host, self._said, self._problem = host, said, problem

    def seen_by(self, alias: str) -> EngineError:
        name = f"{self._host} (aliased as {alias})" if alias else self._host
        message = f"start {name}: health check errored: {self._said}"
        check = self._problem
        if isinstance(check, ExecError):
            return ServiceError(check.cmd, check.exit_code, check.stdout, check.stderr, message)
        return CannotServe(message)


def exited(host: str, alias: str, cmd: Sequence[str], exit_: CommandExit, tail: LastOutput) -> ServiceError:
    """The error for the user of a service that ended before it; in Dagger's words (core/container_exec.go)."""
    name = f"{host} (aliased as {alias})" if alias else host
    message = f"bound service {name} exited: exit code: {exit_.code}"
    return ServiceError(list(cmd), exit_.code, tail.text("stdout"), tail.text("stderr"), message)


class LastOutput:
    """The last part of a service's output. `on_output` gets all of it, as long as it is set."""

    def __init__(self, size: int = KEPT, on_output: OnOutput | None = None) -> None:
        self._size = size
        self.on_output = on_output
        self._kept: dict[Stream, bytearray] = {"stdout": bytearray(), "stderr": bytearray()}

    def add(self, stream: Stream, data: bytes) -> None:
        """Take a part of the output; the oldest goes when there is more than `size`."""
        if self.on_output is not None:
            self.on_output(stream, data)
        kept = self._kept[stream]
        kept += data
        if len(kept) > 2 * self._size:
            del kept[: -self._size]

    def text(self, stream: Stream) -> str:
        """What is kept of a stream."""
        return self._kept[stream][-self._size :].decode(errors="replace")


@dataclass(frozen=True, slots=True)
class ContainerService:
    """A container that others reach.

    Args:
        runtime: starts it.
        switch: its ports are tried from here.
        host: its host name, for error messages.
        cmd: its command, for error messages.
        prepare: makes its file system, network (a lease is a must) and the rest, and gives the services that it uses itself, by their
            aliases; left when the container has ended.
        ports: what it listens on.
        health: a command that says whether it is well, instead of trying the ports.
        on_output: gets what it prints until it can be used; after that it would be too much.
    """

    runtime: Runtime
    switch: Switch
    host: str
    cmd: tuple[str, ...]
    prepare: Callable[[], AbstractAsyncContextManager[tuple[ContainerSpec, Mapping[str, RunningService]]]]
    ports: tuple[ServicePort, ...] = ()
    health: HealthProbe | None = None
    on_output: OnOutput | None = None

    @asynccontextmanager
    async def up(self, runner: ServiceRunner, ending: StopMode) -> AsyncIterator[RunningService]:  # noqa: ARG002 - a container uses no other service itself
        async with self.prepare() as (spec, used):
            if spec.network is None:
                raise NetworkError(f"service {self.host}: its container is not on a network")
            tail = LastOutput(on_output=self.on_output)
            running = await self._start(spec, tail)
            ended = asyncio.ensure_future(_until_over(running, used))
            try:
                await self._until_usable(running, spec.network.ip, tail, ended)
                tail.on_output = None
                yield RunningService(spec.network.ip, self.ports, ended, functools.partial(self._blame, ended, tail))
            finally:
                await (running.kill() if ending.kill else running.stop())
                await asyncio.wait({ended})
                if not ended.cancelled():
                    ended.exception()  # looked at, so that asyncio does not report it: perhaps nothing used the service

    async def _start(self, spec: ContainerSpec, tail: LastOutput) -> RunningCommand:
        try:
            return await self.runtime.start(spec, tail.add)
        except CannotStart as problem:
            tail.add("stderr", f"{problem.message}\n".encode())
            raise self._died(CommandExit(1), tail) from problem

    async def _until_usable(self, running: RunningCommand, ip: str, tail: LastOutput, over: asyncio.Future[CommandExit]) -> None:
        """Wait until it is healthy; the wait ends when the container does."""
        check = health_command(running, self.health) if self.health else ports_open(self.switch, ip, self.ports)
        checking = asyncio.ensure_future(check)
        try:
            both: set[asyncio.Future[Any]] = {checking, over}
            await asyncio.wait(both, return_when=asyncio.FIRST_COMPLETED)
            if not checking.done() or (checking.exception() and over.done()):
                raise self._died(over.result(), tail)
            if problem := checking.exception():
                raise ServiceUnhealthy(self.host, problem) from problem
        finally:
            checking.cancel()

    def _blame(self, ended: asyncio.Future[CommandExit], tail: LastOutput, alias: str) -> EngineError:
        problem = ended.exception()
        if isinstance(problem, EngineError):
            return problem
        return exited(self.host, alias, self.cmd, CommandExit(255) if problem is not None else ended.result(), tail)

    def _died(self, exit_: CommandExit, tail: LastOutput) -> ServiceDied:
        return ServiceDied(self.host, self.cmd, exit_, tail.text("stdout"), tail.text("stderr"))


async def _until_over(running: RunningCommand, used: Mapping[str, RunningService]) -> CommandExit:
    """How a service ends: by itself, or because one that it uses has ended.

    Raises:
        EngineError: a service that it uses has ended.
    """
    return await while_up(used, _watched(running))


async def _watched(running: RunningCommand) -> CommandExit:
    """Wait for the end; when the waiting is cancelled, the container is killed."""
    try:
        return await running.wait()
    except asyncio.CancelledError:
        await running.kill()
        raise
