"""A registry that serves one image and misbehaves in one way."""

from __future__ import annotations

import socket
import struct
import threading
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any, ClassVar

from pipelines.engine.embedded.images import manifest
from pipelines.engine.embedded.images.manifest import digest_bytes, dump
from tests.unit.engine.images.trees import Entry, tar

if TYPE_CHECKING:
    from collections.abc import Iterator

SIZE = 3 << 20  # bytes of the layer: large enough that it does not fit into the buffers of a socket


@dataclass
class Faulty:
    """One image, `name:1`, and how it is served.

    Args:
        fault: which one, and for which request (`tag`, `config`, `layer`): `layer:reset`.
    """

    fault: str = ""
    layer: bytes = field(default_factory=lambda: tar([Entry("f", text="x" * SIZE)]))
    declared: int = 0
    address: str = ""
    over: threading.Event = field(default_factory=threading.Event)

    def __post_init__(self) -> None:
        config = {"os": "linux", "architecture": "amd64", "rootfs": {"type": "layers", "diff_ids": [digest_bytes(self.layer)]}}
        self.config = dump(config)
        self.manifest = dump(
            {
                "schemaVersion": 2,
                "mediaType": manifest.OCI_MANIFEST,
                "config": _named(manifest.OCI_CONFIG, self.config),
                "layers": [_named(manifest.OCI_LAYER, self.layer) | ({"size": self.declared} if self.declared else {})],
            }
        )

    def wanted(self, path: str) -> tuple[str, bytes]:
        """What a path asks for, and its content."""
        known = {digest_bytes(self.config): ("config", self.config), digest_bytes(self.layer): ("layer", self.layer)}
        if "/manifests/" in path:
            return "tag", self.manifest
        return next((value for digest, value in known.items() if path.endswith(digest)), ("", b""))


def _named(kind: str, data: bytes) -> dict[str, Any]:
    return {"mediaType": kind, "digest": digest_bytes(data), "size": len(data)}


class Handler(BaseHTTPRequestHandler):
    """Answers for `faulty`."""

    faulty: ClassVar[Faulty]
    protocol_version = "HTTP/1.1"

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name of the base class
        pass

    def do_HEAD(self) -> None:
        self.do_GET()

    def do_GET(self) -> None:
        what, data = self.faulty.wanted(self.path)
        place, _, fault = self.faulty.fault.partition(":")
        if self.path == "/v2/":
            self._answer(200, b"{}")
        elif not what:
            self._answer(404, b'{"errors":[{"code":"MANIFEST_UNKNOWN","message":"manifest unknown"}]}')
        elif what == place:
            getattr(self, f"_{fault}")(data)
        else:
            self._answer(200, data)

    def _answer(self, status: int, data: bytes, *, length: int | None = None) -> None:
        kind = manifest.OCI_MANIFEST if "/manifests/" in self.path else "application/octet-stream"
        self.send_response(status)
        self.send_header("Content-Type", kind if status == 200 else "application/json")
        self.send_header("Content-Length", str(len(data) if length is None else length))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(data)

    def _denied(self, _data: bytes) -> None:
        self._answer(403, b'{"errors":[{"code":"DENIED","message":"requested access to the resource is denied"}]}')

    def _unauthorized(self, _data: bytes) -> None:
        self._answer(401, b'{"errors":[{"code":"UNAUTHORIZED","message":"authentication required"}]}')

    def _busy(self, _data: bytes) -> None:
        self._answer(503, b"<html>busy</html>")

    def _short(self, data: bytes) -> None:
        """Close in the middle of what was announced."""
        self._answer(200, data[: len(data) // 2], length=len(data))
        self.close_connection = True

    def _reset(self, data: bytes) -> None:
        """Reset the connection in the middle."""
        self._answer(200, data[: len(data) // 2], length=len(data))
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.connection.close()
        self.close_connection = True

    def _closed(self, _data: bytes) -> None:
        """Close without a word."""
        self.connection.shutdown(socket.SHUT_RDWR)
        self.close_connection = True

    def _other(self, data: bytes) -> None:
        """Something else of the same length, which ends as it should."""
        self._answer(200, b"y" * len(data))

    def _cut(self, data: bytes) -> None:
        """Half of it, and say that this is all."""
        self._answer(200, data[: len(data) // 2])

    def _silent(self, _data: bytes) -> None:
        self.faulty.over.wait(60)
        self.close_connection = True

    def _trickle(self, data: bytes) -> None:
        """A byte now and then."""
        self._answer(200, data[:1000], length=len(data))
        while not self.faulty.over.wait(0.05):
            self.wfile.write(b"x")
            self.wfile.flush()
        self.close_connection = True

    def _endless(self, data: bytes) -> None:
        """Much more than was announced in the manifest."""
        self._answer(200, data, length=1 << 40)
        while not self.faulty.over.is_set():
            self.wfile.write(bytes(1 << 20))


class Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: object, client_address: object) -> None:
        pass  # the client went away, which is what is tested


@contextmanager
def serving(faulty: Faulty) -> Iterator[Faulty]:
    """The registry on loopback."""
    with Server(("127.0.0.1", 0), type("Serving", (Handler,), {"faulty": faulty})) as server:
        faulty.address = f"127.0.0.1:{server.server_address[1]}"
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        try:
            yield faulty
        finally:
            faulty.over.set()
            server.shutdown()
            thread.join()
