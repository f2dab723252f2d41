"""Services of a session: each recipe runs once, from its first use until some time after its last user has ended."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace
from typing import TYPE_CHECKING

from pipelines.engine.embedded.errors import InvalidInput
from pipelines.engine.embedded.ops.commands.setup import ContainerSetup
from pipelines.engine.embedded.ops.interface import BoundServices
from pipelines.engine.embedded.ops.tasks import all_of
from pipelines.engine.embedded.ops.values.config import ExposedPort
from pipelines.engine.embedded.progress import LineSplitter, NamedProgress
from pipelines.engine.embedded.sandbox.services import runner as running
from pipelines.engine.embedded.sandbox.services.container import ContainerService
from pipelines.engine.embedded.sandbox.services.health import HealthProbe
from pipelines.engine.embedded.sandbox.services.ports import HostService, PortForward, Tunnel

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping, Sequence

    from pipelines.engine.embedded.ops.interface import ClientSession
    from pipelines.engine.embedded.ops.values.config import Config
    from pipelines.engine.embedded.ops.values.states import Binding, ContainerState, HostPort, ServiceState
    from pipelines.engine.embedded.sandbox.spec import ContainerSpec

NANO = 1e9  # Docker's healthchecks count nanoseconds


class Services:
    """Starts, shares and stops what `ServiceState` describes."""

    def __init__(self, session: ClientSession) -> None:
        self._session = session
        self._runner = running.ServiceRunner()
        self._started: dict[str, running.RunningService] = {}

    async def bind(self, bindings: Sequence[Binding], stack: AsyncExitStack) -> BoundServices:
        """Start what a container is bound to; each service stays at least until `stack` ends."""
        bound = BoundServices({}, {})

        async def one(binding: Binding) -> None:
            own = AsyncExitStack()
            stack.push_async_callback(own.aclose)
            service = self._service(binding.service, binding.alias)
            up = await own.enter_async_context(self._runner.using(binding.service.digest, service, alias=binding.alias))
            bound.hosts.update({binding.alias: up.ip, binding.service.name: up.ip})
            bound.used[binding.alias] = up

        await all_of(one(binding) for binding in bindings)
        return bound

    async def start(self, state: ServiceState) -> None:
        """Start it, to stay until `stop` or the session's end."""
        self._started[state.digest] = await self._runner.start(state.digest, self._service(state))

    async def stop(self, state: ServiceState, *, kill: bool) -> None:
        """Stop it, also when it is in use."""
        self._started.pop(state.digest, None)
        await self._runner.stop(state.digest, kill=kill)

    async def hold(self, state: ServiceState) -> None:
        """Keep it running until this call is cancelled.

        Raises:
            EngineError: it has ended by itself (a Dagger engine goes on waiting without a message).
        """
        async with self._runner.using(state.digest, self._service(state)) as up:
            await asyncio.wait([up.ended if up.ended is not None else asyncio.get_running_loop().create_future()])
            raise up.blame("")

    async def ports(self, state: ServiceState) -> list[ExposedPort]:
        """What it listens on, as its users see it.

        Raises:
            InvalidInput: a tunnel whose ports are chosen when it starts, and it has not been started.
        """
        if state.container is not None:
            return list(state.container.config.ports)
        up = self._started.get(state.digest)
        if up is not None:
            return [ExposedPort(port.number, port.protocol) for port in up.ports]
        forwards = state.tunnel_ports or state.host_ports
        if any(port.frontend == 0 for port in forwards):
            raise InvalidInput("the ports of the tunnel are chosen when it starts; it has not been started")
        return [ExposedPort(port.frontend, port.protocol) for port in forwards]

    async def close(self) -> None:
        """Stop everything."""
        await self._runner.close()

    def _service(self, state: ServiceState, alias: str = "") -> running.Service:
        switch = self._session.switch
        if state.tunnel is not None:
            return Tunnel(switch, state.tunnel.digest, self._service(state.tunnel), _forwards(state.tunnel_ports))
        if state.container is None:
            return HostService(switch, _forwards(state.host_ports))
        config = state.container.config
        ports = tuple(running.ServicePort(port.port, port.protocol, check=not port.skip_healthcheck) for port in config.ports)
        container = state.container
        return ContainerService(
            self._session.runtime,
            switch,
            state.name,
            state.command.args,
            lambda: self._prepared(state, container),
            ports,
            _health(config),
            LineSplitter(NamedProgress(self._session.progress, alias or state.name)).add,
        )

    @asynccontextmanager
    async def _prepared(
        self, state: ServiceState, container: ContainerState
    ) -> AsyncIterator[tuple[ContainerSpec, Mapping[str, running.RunningService]]]:
        """The service's container, its writes thrown away when it ends."""
        inputs = await self._session.ops.outputs([container.rootfs, *state.command.sources()])
        setup = ContainerSetup(self._session, state.command, inputs, captured=False)
        try:
            await setup.prepare()
            yield replace(setup.spec(), hostname=state.name), setup.used
        finally:
            await setup.close()


def _forwards(ports: Sequence[HostPort]) -> tuple[PortForward, ...]:
    return tuple(PortForward(port.backend, port.frontend, port.protocol) for port in ports)


def _health(config: Config) -> HealthProbe | None:
    """The image's own healthcheck, when it has one that says more than an open port would."""
    check = dict(config.healthcheck or ())
    test = tuple(check.get("Test") or ())
    if not test or test[0] == "NONE":
        return None
    args = (*(config.shell or ("/bin/sh", "-c")), test[1]) if test[0] == "CMD-SHELL" else test[1:]
    names = {"Interval": "interval", "Timeout": "timeout", "StartPeriod": "start_period", "StartInterval": "start_interval"}
    times = {name: check[key] / NANO for key, name in names.items() if check.get(key)}
    return HealthProbe(args, retries=check.get("Retries") or 3, **times)
