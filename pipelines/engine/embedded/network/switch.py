"""The session's network: a switch that containers are plugged into."""

from __future__ import annotations

import asyncio
import os
import socket
from collections import deque
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from pipelines.engine.embedded.errors import NetworkError
from pipelines.engine.embedded.network import namespaces
from pipelines.engine.embedded.network.addresses import AddressPool, choose_subnet, own_addresses, proxies, resolv_conf
from pipelines.engine.embedded.network.egress import Egress, connect
from pipelines.engine.embedded.network.lease import Lease
from pipelines.engine.embedded.network.wiring import SwitchPort, Wiring

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Coroutine

    from pipelines.engine.embedded.child import Child

__all__ = ["Lease", "Switch"]

SPARE = 4  # ports made ahead: making one takes longer than a short command runs
MOST_SPARE = 32  # used ports kept for the next containers
_T = TypeVar("_T")


class Switch:
    """A network namespace with a bridge, a way out, and ready-made ports; `open` begins to build it and returns at once.

    Containers reach each other and the outside, not the machine itself: neither its loopback nor what listens at its other addresses,
    unless it is a proxy that the environment names. Everything goes with the process, even when it is killed.
    """

    def __init__(self, path: Path, note: Callable[[str], object], resolv_conf: Path) -> None:
        self._path = path
        self._note = note
        self._resolv_conf = resolv_conf
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="switch")
        self._subnet = choose_subnet(Path("/proc/net/route").read_text())
        self._own = own_addresses(_text(Path("/proc/net/fib_trie"))) - proxies(os.environ)
        self._free_ips = AddressPool(self._subnet.containers())
        self._host_ips = AddressPool(self._subnet.host_services())
        self._spare: deque[SwitchPort] = deque()
        self._leased: dict[str, SwitchPort] = {}
        self._filling = 0
        self._tasks: set[asyncio.Task[Any]] = set()
        self._egress = Egress()
        self._resolver = ""
        self._watching: asyncio.Task[None] | None = None
        self._built = asyncio.ensure_future(self._build())

    @classmethod
    @asynccontextmanager
    async def open(
        cls, state: Path, *, note: Callable[[str], object] = lambda _: None, resolv_conf: Path = Path("/etc/resolv.conf")
    ) -> AsyncIterator[Switch]:
        """A switch for as long as the block lasts.

        Args:
            state: a directory in this mount namespace's own tmpfs.
            note: called once, with one line, when containers will have no way out, and why.
            resolv_conf: the machine's.
        """
        switch = cls(state / "switch", note, resolv_conf)
        try:
            yield switch
        finally:
            await switch.close()

    async def lease(self) -> Lease:
        """A place for one container; waits for the switch to be built.

        Raises:
            NetworkError: the kernel refuses a network, or every address is in use.
        """
        wiring = await self._ready()
        while not self._spare:  # what was made for one may be taken by another
            await asyncio.shield(self._background(self._add_spare(wiring)))
        port = self._spare.pop()
        self._leased[port.ip] = port
        self._refill(wiring)
        return Lease(port.ip, namespaces.path(port.namespace), self._resolver)

    async def release(self, lease: Lease) -> None:
        """The container has ended."""
        self._background(self._recycle(await self._ready(), self._leased.pop(lease.ip), reuse=not lease.modified))

    async def take_address(self) -> str:
        """One more address of the switch itself, for something on this machine that containers may reach."""
        wiring = await self._ready()
        address = self._host_ips.take()
        await self._in_switch(wiring.add_address, address)
        return address

    async def drop_address(self, address: str) -> None:
        """Give back what `take_address` gave."""
        await self._in_switch((await self._ready()).delete_address, address)
        self._host_ips.give_back(address)

    async def dial(self, ip: str, port: int, kind: socket.SocketKind = socket.SOCK_STREAM) -> socket.socket:
        """A non-blocking connection to a container (wait with a time limit of your own).

        Raises:
            OSError: it is refused or unreachable.
        """
        made = await self._socket(kind)
        try:
            await asyncio.get_running_loop().sock_connect(made, (ip, port))
        except BaseException:
            made.close()
            raise
        return made

    async def bind(self, ip: str, port: int, kind: socket.SocketKind) -> socket.socket:
        """A bound, non-blocking socket that containers can reach; `ip` is one of the switch's addresses, port 0 any that is free.

        Raises:
            OSError: the port is in use.
        """
        made = await self._socket(kind)
        try:
            made.bind((ip, port))
        except BaseException:
            made.close()
            raise
        return made

    async def close(self) -> None:
        """Take the network down; leases end with it."""
        for task in self._tasks:
            task.cancel()
        results = await asyncio.gather(self._built, *self._tasks, return_exceptions=True)
        if self._watching:  # perhaps only now: the network may have been built while we waited
            self._watching.cancel()
        await self._egress.close()
        if isinstance(wiring := results[0], Wiring):
            await self._in_switch(self._remove, wiring)
        self._thread.shutdown()

    def _remove(self, wiring: Wiring) -> None:
        for port in (*self._spare, *self._leased.values()):
            wiring.remove_port(port)
        wiring.close()

    async def _ready(self) -> Wiring:
        try:
            return await asyncio.shield(self._built)
        except OSError as problem:
            raise NetworkError(f"no network for containers: {problem}. The machine must allow network namespaces and bridges") from problem

    async def _build(self) -> Wiring:
        wiring = await self._in_switch(Wiring, self._subnet, self._path)
        await self._in_switch(wiring.refuse, self._own)
        connected, masked = await asyncio.gather(connect(wiring.path), self._in_switch(wiring.masquerade), return_exceptions=True)
        self._egress = connected if isinstance(connected, Egress) else Egress(problem=str(connected))
        if problem := self._egress.problem or masked:
            self._note(f"no egress: containers reach each other, but nothing outside ({problem})")
        elif self._egress.helper:
            self._watching = asyncio.ensure_future(self._watch(self._egress.helper))
        host = _text(self._resolv_conf)
        self._resolver = resolv_conf(host, self._egress.dns, self._own)
        self._refill(wiring)
        return wiring

    async def _watch(self, helper: Child) -> None:
        await helper.wait()
        self._note("no egress: the program that connected containers to the outside has ended")

    def _refill(self, wiring: Wiring) -> None:
        for _ in range(SPARE - len(self._spare) - self._filling):
            self._background(self._add_spare(wiring))

    async def _add_spare(self, wiring: Wiring) -> None:
        self._filling += 1
        try:
            self._spare.append(await self._in_switch(wiring.add_port, self._free_ips.take()))
        finally:
            self._filling -= 1

    async def _recycle(self, wiring: Wiring, port: SwitchPort, *, reuse: bool) -> None:
        if reuse and len(self._spare) < MOST_SPARE and await self._in_switch(wiring.is_clean, port):
            self._spare.append(port)
        else:
            await self._in_switch(wiring.remove_port, port)
            self._free_ips.give_back(port.ip)

    async def _socket(self, kind: socket.SocketKind) -> socket.socket:
        making = asyncio.ensure_future(self._in_switch((await self._ready()).socket, kind))
        try:
            return await asyncio.shield(making)
        except asyncio.CancelledError:
            making.add_done_callback(lambda made: made.result().close())
            raise

    async def _in_switch(self, function: Callable[..., _T], *arguments: Any) -> _T:
        return await asyncio.get_running_loop().run_in_executor(self._thread, function, *arguments)

    def _background(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task


def _text(path: Path) -> str:
    """The text of a file of the machine; "" where there is none."""
    return path.read_text() if path.exists() else ""
