"""Over the loopback: what carries does not know between which namespaces."""

from __future__ import annotations

import asyncio
import socket

import pytest

from pipelines.engine.embedded.network.forward import DatagramForward, StreamForward
from pipelines.engine.embedded.sandbox.services.ports import connect, kind_of


def bound(kind: socket.SocketKind = socket.SOCK_STREAM) -> socket.socket:
    made = socket.socket(socket.AF_INET, kind)
    made.bind(("127.0.0.1", 0))
    if kind == socket.SOCK_STREAM:
        made.listen()
    return made


def port_of(made: socket.socket) -> int:
    port: int = made.getsockname()[1]
    return port


async def upper(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Answers with what it was sent, in capitals, when that has ended."""
    writer.write((await reader.read()).upper())
    await writer.drain()
    writer.close()


async def ask(port: int, text: bytes) -> bytes:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(text)
    writer.write_eof()
    answer = await reader.read()
    writer.close()
    await writer.wait_closed()
    return answer


async def test_connections_are_carried_with_their_half_ends() -> None:
    server = await asyncio.start_server(upper, "127.0.0.1", 0)
    backend = server.sockets[0].getsockname()[1]
    listener = bound()
    forward = StreamForward(listener, lambda: connect("127.0.0.1", backend, socket.SOCK_STREAM))
    port = port_of(listener)
    texts = [bytes([97 + n]) * 300_000 for n in range(3)]
    assert await asyncio.gather(*(ask(port, text) for text in texts)) == [text.upper() for text in texts]
    await forward.close()
    server.close()
    with pytest.raises(ConnectionRefusedError):
        await ask(port, b"x")


async def test_when_nobody_is_behind_it_a_connection_is_closed() -> None:
    gone = bound()
    backend = port_of(gone)
    gone.close()
    listener = bound()
    forward = StreamForward(listener, lambda: connect("localhost", backend, socket.SOCK_STREAM))
    reader, writer = await asyncio.open_connection("127.0.0.1", port_of(listener))
    assert await reader.read() == b""
    writer.close()
    await forward.close()


async def test_closing_ends_what_is_being_carried() -> None:
    silent, listener = bound(), bound()
    forward = StreamForward(listener, lambda: connect("127.0.0.1", port_of(silent), socket.SOCK_STREAM))
    reader, writer = await asyncio.open_connection("127.0.0.1", port_of(listener))
    behind, _ = await asyncio.to_thread(silent.accept)
    await forward.close()
    assert await reader.read() == b""
    assert behind.recv(1) == b""
    writer.close()
    behind.close()
    silent.close()


async def test_datagrams_find_their_way_back_to_each_sender() -> None:
    loop = asyncio.get_running_loop()
    echo, listener = bound(socket.SOCK_DGRAM), bound(socket.SOCK_DGRAM)
    echo.setblocking(False)
    forward = DatagramForward(listener, lambda: connect("127.0.0.1", port_of(echo), socket.SOCK_DGRAM))
    senders = [await connect("127.0.0.1", port_of(listener), kind_of("UDP")) for _ in range(2)]
    for number, sender in enumerate(senders):
        await loop.sock_sendall(sender, b"%d" % number)
    for _ in senders:
        data, address = await loop.sock_recvfrom(echo, 100)
        await loop.sock_sendto(echo, b"got " + data, address)
    assert [await loop.sock_recv(sender, 100) for sender in senders] == [b"got 0", b"got 1"]
    await forward.close()
    for made in (echo, *senders):
        made.close()
