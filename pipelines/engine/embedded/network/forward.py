"""Carries connections and datagrams between the machine and containers."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Coroutine

    Connect = Callable[[], Awaitable[socket.socket]]

_CHUNK = 1 << 16  # bytes carried at a time
_LARGEST_DATAGRAM = 1 << 16
_IDLE = 60.0  # seconds after which a silent sender of datagrams is forgotten


class _Forward:
    """Tasks that run until `close`, and the socket they take work from."""

    def __init__(self, listener: socket.socket, connect: Connect) -> None:
        self._listener = listener
        self._connect = connect
        self._tasks: set[asyncio.Task[Any]] = set()
        listener.setblocking(False)
        self._spawn(self._serve())

    async def close(self) -> None:
        """Stop, and close the socket and all that was carried."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._listener.close()

    async def _serve(self) -> None:
        raise NotImplementedError

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


class StreamForward(_Forward):
    """Accepts connections on `listener` (TCP or Unix) and carries each to one made by `connect`, until `close`.

    A connection that cannot be made is closed at once, as if nobody listened.
    """

    async def _serve(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            client, _ = await loop.sock_accept(self._listener)
            self._spawn(self._carry(client))

    async def _carry(self, client: socket.socket) -> None:
        with client:
            try:
                server = await self._connect()
            except OSError:
                return
            with server:
                await asyncio.gather(_copy(client, server), _copy(server, client))


async def _copy(source: socket.socket, target: socket.socket) -> None:
    """Carry bytes until `source` ends, and tell `target` of the end; a broken connection is an end both ways."""
    loop = asyncio.get_running_loop()
    try:
        while data := await loop.sock_recv(source, _CHUNK):
            await loop.sock_sendall(target, data)
        target.shutdown(socket.SHUT_WR)
    except OSError:
        for broken in (source, target):
            with contextlib.suppress(OSError):
                broken.shutdown(socket.SHUT_RDWR)


class DatagramForward(_Forward):
    """Carries datagrams that come to `listener` to a socket made by `connect` per sender, and answers back, until `close`."""

    def __init__(self, listener: socket.socket, connect: Connect) -> None:
        self._senders: dict[Any, asyncio.Queue[bytes]] = {}
        super().__init__(listener, connect)

    async def _serve(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            data, sender = await loop.sock_recvfrom(self._listener, _LARGEST_DATAGRAM)
            if sender not in self._senders:
                self._senders[sender] = asyncio.Queue(64)
                self._spawn(self._carry(sender))
            with contextlib.suppress(asyncio.QueueFull):  # datagrams may be lost
                self._senders[sender].put_nowait(data)

    async def _carry(self, sender: Any) -> None:
        try:
            with await self._connect() as server:
                back = asyncio.ensure_future(self._answer(server, sender))
                try:
                    await self._send(self._senders[sender], server)
                finally:
                    back.cancel()
        except OSError:
            return
        finally:
            del self._senders[sender]

    async def _send(self, queue: asyncio.Queue[bytes], server: socket.socket) -> None:
        loop = asyncio.get_running_loop()
        while True:
            try:
                data = await asyncio.wait_for(queue.get(), _IDLE)
            except TimeoutError:
                return
            await loop.sock_sendall(server, data)

    async def _answer(self, server: socket.socket, sender: Any) -> None:
        loop = asyncio.get_running_loop()
        while True:
            with contextlib.suppress(ConnectionError):  # nobody listens yet, as ICMP says
                await loop.sock_sendto(self._listener, await loop.sock_recv(server, _LARGEST_DATAGRAM), sender)
