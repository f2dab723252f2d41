"""Service: long-running containers, and their ports."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from pipelines.engine.embedded.api.registry import field
from pipelines.engine.embedded.errors import InvalidInput
from pipelines.engine.embedded.ops.commands.command import command_of
from pipelines.engine.embedded.ops.commands.permit import permit_api
from pipelines.engine.embedded.ops.values.digest import digest_of
from pipelines.engine.embedded.ops.values.states import ServiceState

if TYPE_CHECKING:
    from pipelines.engine.embedded.ops.interface import ClientSession
    from pipelines.engine.embedded.ops.values.config import ExposedPort
    from pipelines.engine.embedded.ops.values.states import ContainerState

Args = dict[str, Any]


@field("Container.asService", args=("args", "useEntrypoint", "insecureRootCapabilities", "expand", "noInit"))
def as_service(session: ClientSession, state: ContainerState, args: Args) -> ServiceState:
    if args.get("insecureRootCapabilities"):
        permit_api(session.limits, "Container.asService")
    command = command_of(state, args)
    ports = [[port.key, port.skip_healthcheck] for port in state.config.ports]
    sources = [op.digest for op in command.sources()]
    health = [list(state.config.healthcheck or ()), list(state.config.shell or ())]
    digest = digest_of("service", state.rootfs.digest, command.recipe(), sources, ports, health)
    return ServiceState(digest, container=state, command=command)


@field("Service.withHostname", args=("hostname",))
def with_hostname(_: ClientSession, state: ServiceState, args: Args) -> ServiceState:
    return replace(state, hostname=args["hostname"], digest=digest_of("hostname", state.digest, args["hostname"]))


@field("Service.hostname")
def hostname(_: ClientSession, state: ServiceState, __: Args) -> str:
    return state.name


@field("Service.ports")
async def ports(session: ClientSession, state: ServiceState, _: Args) -> list[ExposedPort]:
    return await session.services.ports(state)


@field("Service.endpoint", args=("port", "scheme"))
async def endpoint(session: ClientSession, state: ServiceState, args: Args) -> str:
    ports = await session.services.ports(state)
    port = args["port"] or next((one.port for one in ports), None)
    if port is None:
        raise InvalidInput("no ports exposed")
    if args["port"] and args["port"] not in {one.port for one in ports}:
        raise InvalidInput(f"port {args['port']} not exposed")
    host = "localhost" if state.tunnel else state.name
    return f"{args['scheme']}://{host}:{port}" if args["scheme"] else f"{host}:{port}"


@field("Service.start")
async def start(session: ClientSession, state: ServiceState, _: Args) -> None:
    await session.services.start(state)


@field("Service.sync")
async def sync(session: ClientSession, state: ServiceState, _: Args) -> None:
    """Evaluates the container; nothing is started."""
    if state.container is not None:
        await session.evaluate(state.container)


@field("Service.stop", args=("kill",))
async def stop(session: ClientSession, state: ServiceState, args: Args) -> None:
    await session.services.stop(state, kill=args["kill"])


@field("Container.up", args=("ports", "random", "args", "useEntrypoint", "insecureRootCapabilities", "expand", "noInit"))
async def container_up(session: ClientSession, state: ContainerState, args: Args) -> None:
    """As `asService` and `up`."""
    await up(session, as_service(session, state, args), args)


@field("Service.up", args=("ports", "random"))
async def up(session: ClientSession, state: ServiceState, args: Args) -> None:
    """Forwards ports of the host's loopback to the service until the client goes away."""
    from pipelines.engine.embedded.api.fields.host import tunnel

    forwarded = [{"backend": one["backend"], "frontend": one.get("frontend"), "protocol": one.get("protocol")} for one in args["ports"]]
    opened = tunnel(session, "host", {"service": state, "native": not args["random"], "ports": forwarded})
    await session.services.hold(opened)
