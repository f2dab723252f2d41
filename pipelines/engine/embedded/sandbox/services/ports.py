"""Ports as services: of this machine for containers, and of a service for this machine (a tunnel)."""

from __future__ import annotations

import asyncio
import socket
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pipelines.engine.embedded.errors import NetworkError
from pipelines.engine.embedded.network.forward import DatagramForward, StreamForward
from pipelines.engine.embedded.sandbox.services.runner import (
    RunningService,
    Service,
    ServicePort,
    ServiceRunner,
    StopMode,
)

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable

    from pipelines.engine.embedded.network.switch import Switch

LOOPBACK = "127.0.0.1"
BACKLOG = 128


@dataclass(frozen=True, slots=True)
class PortForward:
    """A port where it is offered (`frontend`; 0: any that is free) and where it leads (`backend`)."""

    backend: int
    frontend: int = 0
    protocol: str = "TCP"


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
