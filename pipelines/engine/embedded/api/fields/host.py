"""Host: its directories, files, ports and sockets; and Directory's way in from an address."""

from __future__ import annotations

import asyncio
import os
from typing import TYPE_CHECKING, Any

from pipelines.engine.embedded.api.registry import field
from pipelines.engine.embedded.errors import InvalidInput, NotFound
from pipelines.engine.embedded.ops.values.digest import digest_of
from pipelines.engine.embedded.ops.values.op import Constant
from pipelines.engine.embedded.ops.values.states import DirectoryState, FileState, HostPort, ServiceState, SocketState

if TYPE_CHECKING:
    from pathlib import Path

    from pipelines.engine.embedded.ops.interface import ClientSession
    from pipelines.engine.embedded.store.host.listing import Listing
    from pipelines.engine.embedded.store.snapshot import Snapshot

Args = dict[str, Any]
LOOPBACK = ("localhost", "127.0.0.1")


@field("Query.host")
def host(_: ClientSession, __: None, ___: Args) -> str:
    return "host"


@field("Host.directory", args=("path", "exclude", "include", "gitignore", "noCache"))
async def directory(session: ClientSession, _: str, args: Args) -> DirectoryState:
    from pipelines.engine.embedded.store.host.importing import import_host_dir

    path = session.host_path(args["path"])
    listings: list[Listing] = []
    snapshot = await asyncio.to_thread(
        import_host_dir,
        session.store,
        path,
        include=tuple(args["include"]),
        exclude=tuple(args["exclude"]),
        gitignore=bool(args["gitignore"]),
        no_cache=bool(args["noCache"]),
        on_listing=listings.append,
    )
    _note(session, snapshot, listings)
    return DirectoryState(Constant(snapshot))


@field("Host.file", args=("path", "noCache"))
async def file(session: ClientSession, _: str, args: Args) -> FileState:
    from pipelines.engine.embedded.store.host.importing import import_host_dir

    path = session.host_path(args["path"])
    if not await asyncio.to_thread(path.is_file):
        raise NotFound(f"lstat {path}: no such file or directory")
    include = (_literal(path.name),)
    listings: list[Listing] = []
    snapshot = await asyncio.to_thread(
        import_host_dir, session.store, path.parent, include=include, no_cache=bool(args["noCache"]), on_listing=listings.append
    )
    _note(session, snapshot, listings)
    return FileState(Constant(snapshot), f"/{path.name}")


def _note(session: ClientSession, snapshot: Snapshot, listings: list[Listing]) -> None:
    if session.work_inputs is not None:
        for listing in listings:
            session.work_inputs.folder(snapshot.id, listing)


def _literal(name: str) -> str:
    """A pattern that matches just this name."""
    return "".join(f"\\{letter}" if letter in "*?[]\\!" else letter for letter in name)


@field("Host.findUp", args=("name", "noCache"))
async def find_up(session: ClientSession, _: str, args: Args) -> str | None:
    def look() -> str | None:
        folder: Path = session.workdir
        while not (folder / args["name"]).exists():
            if folder == folder.parent:
                return None
            folder = folder.parent
        return os.path.relpath(folder / args["name"], session.workdir)

    return await asyncio.to_thread(look)


@field("Host.unixSocket", args=("path",))
def unix_socket(session: ClientSession, _: str, args: Args) -> SocketState:
    return SocketState(session.host_path(args["path"]))


@field("Host.service", args=("ports", "host"))
def service(_: ClientSession, __: str, args: Args) -> ServiceState:
    if args["host"] not in LOOPBACK:
        raise InvalidInput(f"host {args['host']!r}: the embedded engine forwards ports of this machine's loopback only")
    ports = _ports(args["ports"])
    if not ports:
        raise InvalidInput("no ports specified")
    return ServiceState(digest_of("host-service", [[port.backend, port.frontend, port.protocol] for port in ports]), host_ports=ports)


@field("Host.tunnel", args=("service", "native", "ports"))
def tunnel(_: ClientSession, __: str, args: Args) -> ServiceState:
    target: ServiceState = args["service"]
    ports = _ports(args["ports"], default=0)
    if not ports:
        exposed = target.container.config.ports if target.container else ()
        ports = tuple(HostPort(port.port, port.port if args["native"] else 0, port.protocol) for port in exposed)
    if not ports:
        raise InvalidInput("no ports to forward: the service exposes none")
    digest = digest_of("tunnel", target.digest, [[port.backend, port.frontend, port.protocol] for port in ports])
    return ServiceState(digest, tunnel=target, tunnel_ports=ports)


def _ports(asked: list[Args], default: int | None = None) -> tuple[HostPort, ...]:
    """Ports as asked; a frontend not given is the backend's number, or `default`."""
    for number in (number for one in asked for number in (one["backend"], one.get("frontend") or one["backend"])):
        if not 0 < number < 65536:  # noqa: PLR2004 - the range of a port
            raise InvalidInput(f"port {number} is out of range: 1 to 65535")
    fallback = {one["backend"]: one["backend"] if default is None else default for one in asked}
    return tuple(HostPort(one["backend"], one.get("frontend") or fallback[one["backend"]], one.get("protocol") or "TCP") for one in asked)
