"""The kinds of services: a container, ports of this machine, a tunnel from this machine to a service."""

from __future__ import annotations

import asyncio
import functools
import socket
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pipelines.engine.embedded.errors import EngineError, ExecError, NetworkError, ServiceError
from pipelines.engine.embedded.network.forward import DatagramForward, StreamForward
from pipelines.engine.embedded.sandbox.launch import CannotStart
from pipelines.engine.embedded.sandbox.services.health import HealthProbe, health_command, ports_open
from pipelines.engine.embedded.sandbox.services.runner import (
    CannotServe,
    RunningService,
    Service,
    ServicePort,
    ServiceRunner,
    StopMode,
    while_up,
)
from pipelines.engine.embedded.sandbox.spec import CommandExit

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
    from contextlib import AbstractAsyncContextManager

    from pipelines.engine.embedded.network.switch import Switch
    from pipelines.engine.embedded.sandbox.running import RunningCommand
    from pipelines.engine.embedded.sandbox.runtime import Runtime
    from pipelines.engine.embedded.sandbox.spec import ContainerSpec, OnOutput, Stream

LOOPBACK = "127.0.0.1"
BACKLOG = 128
KEPT = 128 * 1024  # bytes of each of a service's output streams that are kept: the last ones


@dataclass(frozen=True, slots=True)
class PortForward:
    """A port where it is offered (`frontend`; 0: any that is free) and where it leads (`backend`)."""

    backend: int
    frontend: int = 0
    protocol: str = "TCP"


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
                    ended.exception()  # seen: nobody may have used it

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


@dataclass(frozen=True, slots=True)
class HostService:
    """Ports of this machine, at an address of their own in the session's network: two services may use one port.

    Args:
        switch: where containers find them.
        ports: what is offered, and where it leads.
        host: the machine that the connections are made to, as seen from here.
    """

    switch: Switch
    ports: tuple[PortForward, ...]
    host: str = "localhost"

    @asynccontextmanager
    async def up(self, runner: ServiceRunner, ending: StopMode) -> AsyncIterator[RunningService]:  # noqa: ARG002 - it uses none, and is stopped at once
        async with AsyncExitStack() as stack:
            address = await self.switch.take_address()
            stack.push_async_callback(self.switch.drop_address, address)
            ports = [await self._offer(stack, address, port) for port in self.ports]
            yield RunningService(address, tuple(ports))

    async def _offer(self, stack: AsyncExitStack, address: str, port: PortForward) -> ServicePort:
        listener = await self.switch.bind(address, port.frontend, kind_of(port.protocol))
        return forward(stack, listener, port.protocol, lambda: connect(self.host, port.backend, kind_of(port.protocol)))


@dataclass(frozen=True, slots=True)
class Tunnel:
    """Ports of this machine's loopback that lead to a service, which runs as long as the tunnel does.

    Args:
        switch: the way to the service.
        key: names the service.
        target: the service.
        ports: what is offered, and where it leads.
    """

    switch: Switch
    key: str
    target: Service
    ports: tuple[PortForward, ...]

    @asynccontextmanager
    async def up(self, runner: ServiceRunner, ending: StopMode) -> AsyncIterator[RunningService]:  # noqa: ARG002 - a tunnel is stopped at once
        async with AsyncExitStack() as stack:
            target = await stack.enter_async_context(runner.using(self.key, self.target))
            ports = [self._offer(stack, target.ip, port) for port in self.ports]
            yield RunningService(LOOPBACK, tuple(ports), target.ended, target.blame)

    def _offer(self, stack: AsyncExitStack, ip: str, port: PortForward) -> ServicePort:
        kind = kind_of(port.protocol)
        listener = socket.socket(socket.AF_INET, kind)
        try:
            if kind == socket.SOCK_STREAM:
                listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.bind((LOOPBACK, port.frontend))
        except OSError as problem:
            listener.close()
            raise NetworkError(f"tunnel: port {port.frontend} of {LOOPBACK} cannot be used: {problem.strerror}") from problem
        return forward(stack, listener, port.protocol, lambda: self.switch.dial(ip, port.backend, kind))


def forward(
    stack: AsyncExitStack, listener: socket.socket, protocol: str, connection: Callable[[], Awaitable[socket.socket]]
) -> ServicePort:
    """Carry what comes to the bound socket `listener` until `stack` ends; returns the port it listens on."""
    if kind_of(protocol) == socket.SOCK_STREAM:
        listener.listen(BACKLOG)
        stack.push_async_callback(StreamForward(listener, connection).close)
    else:
        stack.push_async_callback(DatagramForward(listener, connection).close)
    return ServicePort(listener.getsockname()[1], protocol)


def kind_of(protocol: str) -> socket.SocketKind:
    """The kind of socket for a protocol: UDP, else TCP."""
    return socket.SOCK_DGRAM if protocol == "UDP" else socket.SOCK_STREAM


async def connect(host: str, port: int, kind: socket.SocketKind) -> socket.socket:
    """A non-blocking connection from this machine; the first address that answers counts.

    Raises:
        OSError: none answers.
    """
    loop = asyncio.get_running_loop()
    problem = OSError(f"{host} has no address")
    for family, _, _, _, address in await loop.getaddrinfo(host, port, type=kind):
        made = socket.socket(family, kind)
        made.setblocking(False)
        try:
            await loop.sock_connect(made, address)
        except OSError as refused:
            made.close()
            problem = refused
        except BaseException:
            made.close()
            raise
        else:
            return made
    raise problem
