"""HTTP for one client program on this machine: POST /query with the session's token, over loopback only."""

from __future__ import annotations

import asyncio
import base64
import contextvars
import hmac
import re
import sys
import traceback
from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

import h11

from pipelines.engine.embedded.requester import REQUESTER, span_of

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from socket import socket

    from pipelines.engine.embedded.api.streamed import StreamedBody

    Respond = Callable[[bytes], Awaitable[bytes | StreamedBody]]

MAX_BODY = 64 * 1024 * 1024  # bytes; file contents travel inside queries
MAX_AHEAD = 64 * 1024  # bytes that a client may send before it has been answered
CLIENTS = re.compile(rb"(127\.0\.0\.1|localhost|\[::1\]|dagger)(:\d+)?", re.IGNORECASE)
"""What clients on this machine call us. `dagger` is the Go SDK's word, whatever address it connects to."""
JSON = (b"Content-Type", b"application/json")
PLAIN = (b"Content-Type", b"text/plain")


class HttpRefusal(Exception):  # noqa: N818 - an answer, not a failure of ours
    """A request that is not answered.

    Attributes:
        status: HTTP status code.
        reason: one line for the client.
        headers: further headers.
    """

    def __init__(self, status: int, reason: str, *headers: tuple[bytes, bytes]) -> None:
        super().__init__(reason)
        self.status = status
        self.reason = reason
        self.headers = headers


@dataclass(frozen=True, slots=True)
class Limits:
    """What protects the session from other programs on this machine, which may connect but have no token.

    Attributes:
        connections: open at one time.
        head: seconds until the head of a request must be there, from the connection's beginning, or from the head's first byte.
    """

    connections: int = 512
    head: float = 30


class Server:
    """Accepts connections on a listening socket until closed.

    Args:
        answer: the response body to a request body, whole or in parts; cancelled when the client hangs up.
        token: what a client must give as user name.
        limits: what connections are held to.
    """

    def __init__(self, answer: Respond, token: str, limits: Limits | None = None) -> None:
        self.answer = answer
        self.credentials = base64.b64encode(f"{token}:".encode())
        self.limits = limits or Limits()
        self.connections: dict[Connection, None] = {}  # the oldest first
        self._listener: asyncio.Server | None = None

    async def start(self, sock: socket) -> None:
        """Accept connections on a socket that listens already."""
        self._listener = await asyncio.get_running_loop().create_server(lambda: Connection(self), sock=sock)

    async def close(self) -> None:
        """Stop listening, drop all connections, and wait until what they asked for has been cancelled."""
        if self._listener is not None:
            self._listener.close()
        tasks = [one.task for one in self.connections if one.task is not None]
        for connection in list(self.connections):
            connection.drop()
        await asyncio.gather(*tasks, return_exceptions=True)

    def has_room(self) -> bool:
        """Whether another connection may stay. The oldest that has not shown the token makes room for it."""
        if len(self.connections) < self.limits.connections:
            return True
        unknown = next((one for one in self.connections if not one.is_client), None)
        if unknown is not None:
            unknown.drop()
            self.connections.pop(unknown, None)
        return unknown is not None


class Connection(asyncio.Protocol):
    """One keep-alive connection: requests are answered one after another, each in one write, unless its body comes in parts."""

    def __init__(self, server: Server) -> None:
        self.task: asyncio.Task[None] | None = None
        self.is_client = False  # it has shown the token
        self._server = server
        self._http = h11.Connection(h11.SERVER)
        self._transport: asyncio.Transport | None = None
        self._writable = asyncio.Event()  # the client keeps up with what is sent
        self._writable.set()
        self._request: h11.Request | None = None
        self._body: list[bytes] = []
        self._size = 0
        self._ahead = 0
        self._head_timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Called by asyncio, which has set TCP_NODELAY already."""
        self._transport = cast("asyncio.Transport", transport)
        has_room = self._server.has_room()
        self._server.connections[self] = None
        if has_room:
            self._expect_head()
        else:
            self._refuse(HttpRefusal(503, "too many connections"))

    def data_received(self, data: bytes) -> None:
        if self.task is not None:
            self._ahead += len(data)
            if self._ahead > MAX_AHEAD:
                self.drop()
                return
        elif self._http.their_state is h11.IDLE:
            self._expect_head()
        self._http.receive_data(data)
        self._proceed()

    def eof_received(self) -> bool:
        """The client hung up: nobody reads the answer any more."""
        return False

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - asyncio's signature
        self._server.connections.pop(self, None)
        self._head_is_there()
        if self.task is not None:
            self.task.cancel()

    def drop(self) -> None:
        """Break the connection off and stop the work it asked for."""
        if self._transport is not None:
            self._transport.abort()
        if self.task is not None:
            self.task.cancel()

    def _expect_head(self) -> None:
        """From now on the head of a request must come within the time limit."""
        if self._head_timer is None:
            self._head_timer = asyncio.get_running_loop().call_later(self._server.limits.head, self._give_up)

    def _head_is_there(self) -> None:
        if self._head_timer is not None:
            self._head_timer.cancel()
            self._head_timer = None

    def _give_up(self) -> None:
        self._refuse(HttpRefusal(408, "the request did not arrive in time"))

    def _proceed(self) -> None:
        """Read on until the request is whole, or there is nothing more to read."""
        try:
            while self.task is None and self._take(self._http.next_event()):
                pass
        except h11.RemoteProtocolError as error:
            self._refuse(HttpRefusal(error.error_status_hint, "not an HTTP request"))
        except ValueError:  # a length of thousands of digits
            self._refuse(HttpRefusal(400, "not an HTTP request"))
        except HttpRefusal as refused:
            self._refuse(refused)

    def _take(self, event: h11.Event | type[h11.NEED_DATA | h11.PAUSED]) -> bool:
        """Handle one event of the request; false when there is none to go on with."""
        match event:
            case h11.Request():
                self._head_is_there()
                self._request, self._body, self._size = event, [], 0
                _check(event, self._server.credentials)
                self.is_client = True
                self._send_continue()
            case h11.Data():
                self._add(bytes(event.data))
            case h11.EndOfMessage():
                self.task = self._start(b"".join(self._body))
                self._body = []
            case _:
                return False
        return True

    def _start(self, body: bytes) -> asyncio.Task[None]:
        """Respond in a task that knows who asks."""
        headers = dict(self._request.headers) if self._request is not None else {}
        context = contextvars.copy_context()
        context.run(REQUESTER.set, span_of(headers.get(b"traceparent", b"")))
        return asyncio.get_running_loop().create_task(self._respond(body), context=context)

    def _send_continue(self) -> None:
        """Some clients ask before they send a long body."""
        if self._http.they_are_waiting_for_100_continue and self._transport is not None:
            self._transport.write(self._http.send(h11.InformationalResponse(status_code=100, headers=[])) or b"")

    def _add(self, data: bytes) -> None:
        self._size += len(data)
        if self._size > MAX_BODY:
            raise HttpRefusal(413, f"a request may have {MAX_BODY} bytes")
        self._body.append(data)

    async def _respond(self, body: bytes) -> None:
        try:
            answer = await self._server.answer(body)
            if isinstance(answer, bytes):
                self._send(200, answer, JSON)
            else:
                await self._stream(answer)
        except Exception:  # noqa: BLE001 - the session goes on
            traceback.print_exc(file=sys.stderr)
            self._fail()
        self.task = None
        if self._http.our_state is h11.DONE and self._http.their_state is h11.DONE:
            self._http.start_next_cycle()
            self._ahead = 0
            self._proceed()
        elif self._transport is not None:
            self._transport.close()

    async def _stream(self, body: StreamedBody) -> None:
        """Send a body of unknown length, no faster than the client takes it."""
        with body.opened() as blocks:
            self._write(h11.Response(status_code=200, headers=[JSON]))
            while (block := await asyncio.to_thread(next, blocks, None)) is not None:
                self._write(h11.Data(data=block))
                await self._writable.wait()
        self._write(h11.EndOfMessage())

    def _fail(self) -> None:
        """Say that there is no answer; in the middle of one only a broken connection can say it."""
        if self._http.our_state is h11.SEND_RESPONSE:
            self._send(500, b"internal error\n", PLAIN)
        elif self._transport is not None:
            self._transport.abort()

    def _write(self, event: h11.Event) -> None:
        data = self._http.send(event)
        if data and self._transport is not None and not self._transport.is_closing():
            self._transport.write(data)

    def waiting_bytes(self) -> int:
        """How much of an answer waits for the client to read it."""
        return 0 if self._transport is None else self._transport.get_write_buffer_size()

    def pause_writing(self) -> None:
        self._writable.clear()

    def resume_writing(self) -> None:
        self._writable.set()

    def _refuse(self, refused: HttpRefusal) -> None:
        """Respond and hang up: whatever else the client sends is not read."""
        if self._http.our_state in {h11.IDLE, h11.SEND_RESPONSE}:
            close = (b"Connection", b"close")
            self._send(refused.status, refused.reason.encode() + b"\n", PLAIN, close, *refused.headers)
        if self._transport is not None:
            self._transport.close()

    def _send(self, status: int, body: bytes, *headers: tuple[bytes, bytes]) -> None:
        length = (b"Content-Length", str(len(body)).encode())
        events = (h11.Response(status_code=status, headers=[*headers, length]), h11.Data(data=body), h11.EndOfMessage())
        data = b"".join(self._http.send(event) or b"" for event in events)
        if self._transport is not None and not self._transport.is_closing():
            self._transport.write(data)


def _check(request: h11.Request, credentials: bytes) -> None:
    """Refuse what is not the session's own client. A `Host` other than these is a browser led here by a name (DNS rebinding)."""
    headers = dict(request.headers)
    if not CLIENTS.fullmatch(headers.get(b"host", b"")):
        raise HttpRefusal(403, "only requests to a loopback host are answered")
    scheme, _, given = headers.get(b"authorization", b"").partition(b" ")
    if scheme.lower() != b"basic" or not hmac.compare_digest(given.strip(), credentials):
        raise HttpRefusal(401, "the session token is missing or wrong", (b"WWW-Authenticate", b'Basic realm="session"'))
    if request.target.partition(b"?")[0] != b"/query":
        raise HttpRefusal(404, "only the path /query is served")
    if request.method != b"POST":
        raise HttpRefusal(405, "only POST requests are answered", (b"Allow", b"POST"))
    if int(headers.get(b"content-length", b"0")) > MAX_BODY:
        raise HttpRefusal(413, f"a request may have {MAX_BODY} bytes")
