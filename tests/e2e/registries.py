"""Registries that misbehave, and one that asks for a password; all on loopback, none outlives its context."""

from __future__ import annotations

import contextlib
import http.server
import json
import shutil
import socket
import subprocess
import threading
import time
from typing import TYPE_CHECKING, Any, Self

import httpx
import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

HTPASSWD = "u:$2y$05$abcdefghijklmnopqrstuuHIrMEWpUCQe2YqFR3sXwQ75u4od..9q\n"
"""User u, password pw, bcrypt."""


@contextlib.contextmanager
def silent() -> Iterator[str]:
    """One that accepts connections and never says a word."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        yield f"localhost:{listening.getsockname()[1]}"


class Stalling:
    """An empty registry that takes a push until its first upload, and then takes its time.

    Attributes:
        uploading: set when an upload has begun.
        asked: method and path of every request.
    """

    def __init__(self) -> None:
        self.uploading, self.asked = threading.Event(), list[tuple[str, str]]()
        self._over = threading.Event()
        owner = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def answer(self) -> None:
                owner.asked.append((self.command, self.path))
                if self.command == "POST":
                    owner.uploading.set()
                    owner._over.wait()
                body = json.dumps({} if self.path == "/v2/" else {"errors": [{"code": "MANIFEST_UNKNOWN", "message": "none"}]}).encode()
                with contextlib.suppress(OSError):
                    self.send_response(200 if self.path == "/v2/" else 404)
                    self.send_header("Content-Length", str(len(body)))
                    self.end_headers()
                    if self.command != "HEAD":
                        self.wfile.write(body)

            do_GET = do_HEAD = do_POST = do_PUT = do_PATCH = answer  # noqa: N815 - names of the library

            def log_message(self, *arguments: Any) -> None:
                """Say nothing."""

        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.address = f"localhost:{self._server.server_address[1]}"

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever).start()
        return self

    def __exit__(self, *details: object) -> None:
        self._over.set()
        self._server.shutdown()
        self._server.server_close()


@contextlib.contextmanager
def locked(folder: Path) -> Iterator[str]:
    """A real one that knows user u with password pw only."""
    program = shutil.which("docker-registry")
    if program is None:
        pytest.skip("needs docker-registry")
    with socket.create_server(("127.0.0.1", 0)) as taken:
        address = f"127.0.0.1:{taken.getsockname()[1]}"
    (folder / "htpasswd").write_text(HTPASSWD)
    settings = {
        "version": 0.1,
        "log": {"accesslog": {"disabled": True}},
        "storage": {"filesystem": {"rootdirectory": str(folder / "data")}},
        "http": {"addr": address},
        "auth": {"htpasswd": {"realm": "test", "path": str(folder / "htpasswd")}},
    }
    (folder / "registry.json").write_text(json.dumps(settings))
    log = (folder / "registry.log").open("wb")
    with log, subprocess.Popen([program, "serve", str(folder / "registry.json")], stdout=log, stderr=log) as server:
        try:
            _until_it_answers(f"http://{address}/v2/")
            yield address.replace("127.0.0.1", "localhost")
        finally:
            server.terminate()


def _until_it_answers(url: str) -> None:
    end = time.monotonic() + 20
    while time.monotonic() < end:
        with contextlib.suppress(httpx.TransportError):
            assert httpx.get(url).status_code == 401
            return
        time.sleep(0.05)
    raise AssertionError(f"{url} does not answer")
