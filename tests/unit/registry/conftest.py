"""A registry of the tests' own on loopback, whose answers a test decides."""

from __future__ import annotations

import http.server
import json
import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

IMAGE = "application/vnd.oci.image.manifest.v1+json"
CONFIG = "application/vnd.oci.image.config.v1+json"
Answer = tuple[int, dict[str, str], bytes]


def manifest(config: str = CONFIG, **more: Any) -> bytes:
    """A manifest whose config has this media type."""
    return json.dumps({"schemaVersion": 2, "mediaType": IMAGE, "config": {"mediaType": config}, "layers": [], **more}).encode()


@dataclass
class Server:
    """What was asked, and by which rule it is answered: from path and headers to status, headers and body."""

    address: str = ""
    rule: Callable[[str, dict[str, str]], Answer] = lambda _path, _headers: (404, {}, b"")
    asked: list[tuple[str, str | None]] = field(default_factory=list)

    def say(self, status: int, body: bytes = b"", **headers: str) -> None:
        self.rule = lambda _path, _headers: (status, headers, body)


@pytest.fixture
def server() -> Iterator[Server]:
    told = Server()

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            headers = {name.lower(): value for name, value in self.headers.items()}
            told.asked.append((self.path, headers.get("authorization")))
            status, answer, body = told.rule(self.path, headers)
            self.send_response(status)
            for name, value in answer.items():
                self.send_header(name.replace("_", "-"), value)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None: ...

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as listening:
        told.address = f"127.0.0.1:{listening.server_port}"
        thread = threading.Thread(target=listening.serve_forever, args=(0.01,))
        thread.start()
        yield told
        listening.shutdown()
        thread.join()
