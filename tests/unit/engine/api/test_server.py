"""The HTTP side, spoken to over real sockets on loopback."""

from __future__ import annotations

import asyncio
import base64
import json
import socket
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import h11
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pipelines.engine.embedded.api.server import MAX_AHEAD, MAX_BODY, Limits, Server
from pipelines.engine.embedded.api.streamed import BLOCK, FileText, StreamedBody

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

TOKEN = "the-token"
LIMIT = 10  # seconds until a test that hangs fails


def basic(user: str, password: str = "") -> str:
    return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()


@dataclass
class Backend:
    """Echoes; a body of `wait` is answered only when the gate opens."""

    gate: asyncio.Event = field(default_factory=asyncio.Event)
    waiting: asyncio.Event = field(default_factory=asyncio.Event)
    cancelled: asyncio.Event = field(default_factory=asyncio.Event)
    bodies: list[bytes] = field(default_factory=list)

    async def answer(self, body: bytes) -> bytes | StreamedBody:
        self.bodies.append(body)
        if body.startswith(b"file "):
            return StreamedBody((b"[", FileText(Path(body[5:].decode())), b"]"))
        if body == b"wait":
            self.waiting.set()
            try:
                await self.gate.wait()
            except asyncio.CancelledError:
                self.cancelled.set()
                raise
        if body == b"defect":
            raise ZeroDivisionError
        return b"answer to " + body


@dataclass
class Client:
    """One connection."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    port: int
    http: h11.Connection = field(default_factory=lambda: h11.Connection(h11.CLIENT))

    async def send(self, body: bytes = b"x", *, method: str = "POST", target: str = "/query", **headers: str) -> tuple[int, bytes]:
        self.writer.write(self.request(body, method, target, headers))
        return await self.receive()

    def request(self, body: bytes, method: str = "POST", target: str = "/query", headers: dict[str, str] | None = None) -> bytes:
        given_ = {"host": f"127.0.0.1:{self.port}", "authorization": basic(TOKEN), "content-length": str(len(body))}
        given_ |= headers or {}
        request = h11.Request(method=method, target=target, headers=[(name, value) for name, value in given_.items() if value])
        sent = self.http.send(request), self.http.send(h11.Data(data=body)) if body else b"", self.http.send(h11.EndOfMessage())
        return b"".join(one or b"" for one in sent)

    async def receive(self) -> tuple[int, bytes]:
        status, body = 0, bytearray()
        while True:
            match self.http.next_event():
                case h11.Response(status_code=code):
                    status = code
                case h11.Data(data=data):
                    body += bytes(data)
                case h11.EndOfMessage():
                    if self.http.our_state is h11.DONE and self.http.their_state is h11.DONE:
                        self.http.start_next_cycle()
                    return status, bytes(body)
                case _:
                    self.http.receive_data(await asyncio.wait_for(self.reader.read(65536), LIMIT))

    async def hung_up(self) -> bool:
        try:
            return await asyncio.wait_for(self.reader.read(), LIMIT) == b""
        except ConnectionResetError:
            return True


@dataclass
class World:
    backend: Backend
    server: Server
    port: int
    clients: list[Client] = field(default_factory=list)

    async def connect(self) -> Client:
        client = Client(*await asyncio.open_connection("127.0.0.1", self.port), self.port)
        self.clients.append(client)
        return client


async def open_world(limits: Limits | None = None) -> World:
    backend = Backend()
    server = Server(backend.answer, TOKEN, limits)
    sock = socket.socket()
    sock.bind(("127.0.0.1", 0))
    await server.start(sock)
    return World(backend, server, sock.getsockname()[1])


async def close_world(world: World) -> None:
    for client in world.clients:
        client.writer.transport.abort()
    await world.server.close()


@pytest.fixture
async def world() -> AsyncIterator[World]:
    one = await open_world()
    yield one
    await close_world(one)


async def test_a_connection_is_kept_for_many_requests(world: World) -> None:
    client = await world.connect()
    for body in (b"one", b"two", b"", b"x" * 300_000):
        assert await client.send(body) == (200, b"answer to " + body)


async def test_an_answer_comes_in_one_piece(world: World) -> None:
    client = await world.connect()
    client.writer.write(client.request(b"hello"))
    piece = await asyncio.wait_for(client.reader.read(65536), LIMIT)
    assert piece.startswith(b"HTTP/1.1 200 ")
    assert piece.endswith(b"\r\n\r\nanswer to hello")


@pytest.mark.parametrize(
    "authorization",
    ["", basic("wrong"), basic(TOKEN, "password"), basic(""), "Basic", "Bearer " + TOKEN, "Basic !!!", basic(TOKEN).rstrip("=") + "A"],
)
async def test_a_wrong_token_is_refused_and_the_line_cut(world: World, authorization: str) -> None:
    client = await world.connect()
    status, _ = await client.send(authorization=authorization)
    assert status == 401
    assert await client.hung_up()
    assert world.backend.bodies == []


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("127.0.0.1", 200),
        ("127.0.0.1:1", 200),
        ("localhost:8080", 200),
        ("LOCALHOST", 200),
        ("[::1]:5", 200),
        ("dagger", 200),
        ("dagger.example.com", 403),
        ("example.com", 403),
        ("127.0.0.1.example.com", 403),
        ("localhost@example.com", 403),
        ("192.168.0.1:80", 403),
        ("0.0.0.0", 403),
    ],
)
async def test_only_loopback_hosts_are_answered(world: World, host: str, status: int) -> None:
    client = await world.connect()
    assert (await client.send(host=host))[0] == status


@pytest.mark.parametrize(
    ("method", "target", "status"),
    [
        ("POST", "/query?x=1", 200),
        ("GET", "/query", 405),
        ("PUT", "/query", 405),
        ("POST", "/", 404),
        ("POST", "/query/", 404),
        ("GET", "/health", 404),
    ],
)
async def test_only_one_path_and_method(world: World, method: str, target: str, status: int) -> None:
    client = await world.connect()
    assert (await client.send(method=method, target=target))[0] == status


async def test_who_says_it_sends_too_much_is_refused_before_it_does(world: World) -> None:
    client = await world.connect()
    client.writer.write(
        f"POST /query HTTP/1.1\r\nHost: localhost\r\nAuthorization: {basic(TOKEN)}\r\nContent-Length: {MAX_BODY + 1}\r\n\r\n".encode()
    )
    client.http.send(h11.Request(method="POST", target="/query", headers=[("host", "localhost"), ("content-length", "1")]))
    assert (await client.receive())[0] == 413
    assert await client.hung_up()


async def test_who_sends_too_much_without_saying_so_is_cut_off(world: World) -> None:
    client = await world.connect()
    start = f"POST /query HTTP/1.1\r\nHost: localhost\r\nAuthorization: {basic(TOKEN)}\r\nTransfer-Encoding: chunked\r\n\r\n"
    client.http.send(h11.Request(method="POST", target="/query", headers=[("host", "localhost"), ("content-length", "1")]))
    client.writer.write(start.encode())
    chunk = b"100000\r\n" + b"x" * 0x100000 + b"\r\n"
    receiving = asyncio.create_task(client.receive())
    try:
        for _ in range(MAX_BODY // 0x100000 + 8):
            client.writer.write(chunk)
            await client.writer.drain()
    except ConnectionError:
        pass  # it hung up while we were still sending
    outcome = (await asyncio.gather(receiving, return_exceptions=True))[0]
    assert isinstance(outcome, ConnectionError) or outcome[0] == 413  # type: ignore[index]
    assert world.backend.bodies == []


async def test_a_client_may_ask_before_it_sends_much(world: World) -> None:
    client = await world.connect()
    whole = client.request(b"late", headers={"expect": "100-continue"})
    head, _, body = whole.partition(b"\r\n\r\n")
    client.writer.write(head + b"\r\n\r\n")
    assert (await asyncio.wait_for(client.reader.readuntil(b"\r\n\r\n"), LIMIT)).startswith(b"HTTP/1.1 100 ")
    client.writer.write(body)
    assert await client.receive() == (200, b"answer to late")


async def test_who_hangs_up_cancels_what_was_asked(world: World) -> None:
    client = await world.connect()
    client.writer.write(client.request(b"wait"))
    await asyncio.wait_for(world.backend.waiting.wait(), LIMIT)
    client.writer.close()
    await asyncio.wait_for(world.backend.cancelled.wait(), LIMIT)


async def test_other_clients_are_answered_meanwhile(world: World) -> None:
    slow, quick = await world.connect(), await world.connect()
    slow.writer.write(slow.request(b"wait"))
    await asyncio.wait_for(world.backend.waiting.wait(), LIMIT)
    assert await quick.send(b"now") == (200, b"answer to now")
    world.backend.gate.set()
    assert await slow.receive() == (200, b"answer to wait")


async def test_closing_cancels_what_is_under_way_and_hangs_up(world: World) -> None:
    client = await world.connect()
    client.writer.write(client.request(b"wait"))
    await asyncio.wait_for(world.backend.waiting.wait(), LIMIT)
    await world.server.close()
    assert world.backend.cancelled.is_set()
    assert await client.hung_up()


async def test_a_defect_costs_one_answer_not_the_connection(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    client = await world.connect()
    assert (await client.send(b"defect"))[0] == 500
    assert await client.send(b"next") == (200, b"answer to next")
    assert "ZeroDivisionError" in capsys.readouterr().err


async def test_requests_sent_ahead_are_answered_in_order(world: World) -> None:
    client = await world.connect()
    parts = [client.request(b"first")]
    client.http = h11.Connection(h11.CLIENT)
    parts.append(client.request(b"second"))
    client.http = h11.Connection(h11.CLIENT)
    client.http.send(h11.Request(method="GET", target="/", headers=[("host", "x")]))
    client.writer.write(b"".join(parts))
    whole = await asyncio.wait_for(client.reader.readuntil(b"answer to second"), LIMIT)
    assert whole.count(b"HTTP/1.1 200") == 2
    assert whole.index(b"answer to first") < whole.index(b"answer to second")


HEAD = f"POST /query HTTP/1.1\r\nHost: localhost\r\nAuthorization: {basic(TOKEN)}\r\n"


@pytest.mark.parametrize("sent", [b"", b"POST /query HT", HEAD.encode()])
async def test_a_head_that_does_not_come_in_time_is_not_waited_for(sent: bytes) -> None:
    world = await open_world(Limits(head=0.05))
    client = await world.connect()
    client.writer.write(sent)
    assert (await asyncio.wait_for(client.reader.read(), LIMIT)).startswith(b"HTTP/1.1 408 ")
    await close_world(world)


async def test_a_second_head_has_its_time_too_but_an_idle_client_is_left_alone() -> None:
    world = await open_world(Limits(head=0.05))
    idle, slow = await world.connect(), await world.connect()
    await idle.send(b"one")
    await slow.send(b"one")
    slow.writer.write(b"POST /query")
    assert (await asyncio.wait_for(slow.reader.read(), LIMIT)).startswith(b"HTTP/1.1 408 ")
    assert await idle.send(b"two") == (200, b"answer to two")
    await close_world(world)


async def test_strangers_make_room_for_others_and_clients_do_not() -> None:
    world = await open_world(Limits(connections=3))
    client = await world.connect()
    await client.send(b"one")
    strangers = [await world.connect() for _ in range(20)]
    late = await world.connect()
    assert await late.send(b"two") == (200, b"answer to two")
    assert await client.send(b"three") == (200, b"answer to three")
    assert await strangers[0].hung_up()
    assert len(world.server.connections) <= 3
    third = await world.connect()
    await third.send(b"four")
    assert (await asyncio.wait_for((await world.connect()).reader.read(), LIMIT)).startswith(b"HTTP/1.1 503 ")
    assert await client.send(b"five") == (200, b"answer to five")
    await close_world(world)


@pytest.mark.parametrize(
    ("head", "status"),
    [
        (HEAD + "Content-Length: " + "9" * 5000, 400),
        (HEAD + "Content-Length: -1", 400),
        (HEAD + "Content-Length: 1\r\nContent-Length: 2", 400),
        (HEAD + "Transfer-Encoding: gzip", 501),
        (HEAD + "X: " + "y" * 1_000_000, 431),
        (HEAD + "X: y\r\n" * 200_000, 431),
        (HEAD + "Host: localhost", 400),
        (HEAD + "X: \0", 400),
    ],
)
async def test_heads_that_are_malformed_or_too_large_are_refused(world: World, head: str, status: int) -> None:
    client = await world.connect()
    client.writer.write(head.encode() + b"\r\n\r\n")
    assert (await asyncio.wait_for(client.reader.readline(), LIMIT)).startswith(b"HTTP/1.1 %d " % status)


async def test_who_sends_much_ahead_is_cut_off(world: World) -> None:
    client = await world.connect()
    client.writer.write(client.request(b"wait"))
    await asyncio.wait_for(world.backend.waiting.wait(), LIMIT)
    client.writer.write(b"x" * (MAX_AHEAD + 1))
    assert await client.hung_up()
    await asyncio.wait_for(world.backend.cancelled.wait(), LIMIT)


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.binary(min_size=1, max_size=200))
def test_noise_is_refused_or_ignored_and_hurts_nobody(noise: bytes) -> None:
    async def check() -> None:
        world = await open_world()
        loud, polite = await world.connect(), await world.connect()
        loud.writer.write(noise)
        loud.writer.write_eof()
        reply = await asyncio.wait_for(loud.reader.read(), LIMIT)
        assert reply == b"" or reply.startswith(b"HTTP/1.1 4")
        assert await polite.send(b"ok") == (200, b"answer to ok")
        assert world.backend.bodies == [b"ok"]
        await close_world(world)

    asyncio.run(check())


async def test_text_of_a_file_is_sent_in_parts_and_the_connection_is_kept(world: World, tmp_path: Path) -> None:
    (tmp_path / "long").write_bytes(b"\xffabc\n" * BLOCK)
    client = await world.connect()
    status, body = await client.send(f"file {tmp_path / 'long'}".encode())
    assert (status, json.loads(body)) == (200, ["\ufffdabc\n" * BLOCK])
    assert await client.send(b"y") == (200, b"answer to y")


async def test_a_client_that_does_not_read_holds_the_reading_of_the_file(world: World, tmp_path: Path) -> None:
    size = 8 * BLOCK
    with (tmp_path / "huge").open("wb") as file:
        file.truncate(size)  # NUL bytes: six in JSON for each of them
    slow = await world.connect()
    slow.writer.write(slow.request(f"file {tmp_path / 'huge'}".encode()))
    quick = await world.connect()
    while not any(one.waiting_bytes() for one in world.server.connections):
        assert (await quick.send(b"y"))[0] == 200
    for _ in range(50):
        assert (await quick.send(b"y"))[0] == 200
    assert max(one.waiting_bytes() for one in world.server.connections) <= 7 * BLOCK
    assert (await slow.receive())[1] == b'["' + b"\\u0000" * size + b'"]'


async def test_a_file_that_is_not_there_is_an_internal_error(world: World, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    client = await world.connect()
    assert await client.send(f"file {tmp_path / 'no'}".encode()) == (500, b"internal error\n")
    assert "FileNotFoundError" in capsys.readouterr().err


async def test_a_file_that_cannot_be_read_to_its_end_breaks_the_connection(
    world: World, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    client = await world.connect()
    client.writer.write(client.request(b"file /proc/self/mem"))
    assert not (await asyncio.wait_for(client.reader.read(), LIMIT)).endswith(b"]")
    assert "OSError" in capsys.readouterr().err
