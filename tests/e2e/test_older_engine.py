"""On an engine without volatile variables (Dagger before 0.21.4) the steps give the same outcomes; they just cannot tell a replay.

Such an engine is the one at hand behind a proxy that takes the field out of the schema the SDK fetches.
"""

from __future__ import annotations

import contextlib
import http.server
import json
import subprocess
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import httpx
import pytest

from tests.e2e.conftest import Checkout

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

pytestmark = [pytest.mark.engine, pytest.mark.root, pytest.mark.registry, pytest.mark.timeout(300)]

FIELD = "withVolatileVariable"
JUNIT = '<testsuite name="s"><testcase name="a"/></testsuite>'
CONFIG = f"""[project]
name = "small"
[images.app]
base = "python"
[tests.good]
image = "app"
command = ['sh', '-c', '''date +%N; printf '%s' '{JUNIT}' > /reports/junit.xml''']
junit = "/reports/junit.xml"
[tests.bad]
image = "app"
command = ['sh', '-c', 'date +%N; exit 3']
[scan]
allow_unknown_age = true
max_age_days = 10000
sources = false
[perf.load]
script = "load.js"
service = {{ image = "app", port = 80, command = ["python3", "-m", "http.server", "80"], health = "/" }}
"""
LOCAL = "[scan]\nallow_fixture_database = true\n"
SCRIPT = "import http from 'k6/http';\nexport default function () { http.get(`${__ENV.BASE_URL}/`); }\n"


class Proxy(http.server.BaseHTTPRequestHandler):
    """Hands queries on; the schema comes back without the field."""

    protocol_version = "HTTP/1.1"
    engine: ClassVar[str]
    queries: ClassVar[list[str]]

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.queries.append(body.decode())
        headers = {"Authorization": self.headers["Authorization"], "Content-Type": "application/json"}
        answer = httpx.post(self.engine, content=body, headers=headers, timeout=None)
        content = json.dumps(without_field(answer.json())).encode() if b"__schema" in body else answer.content
        self.send_response(answer.status_code)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *arguments: object) -> None:
        """Say nothing."""


def without_field(answer: dict[str, Any]) -> dict[str, Any]:
    (container,) = (kind for kind in answer["data"]["__schema"]["types"] if kind["name"] == "Container")
    before = len(container["fields"])
    container["fields"] = [field for field in container["fields"] if field["name"] != FIELD]
    assert len(container["fields"]) == before - 1
    return answer


@contextlib.contextmanager
def older_engine(environ: dict[str, str]) -> Iterator[tuple[dict[str, str], list[str]]]:
    program = Path(sys.executable).parent / "lockgate-engine"
    with subprocess.Popen(
        [program, "session"], env=environ, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    ) as engine:
        assert engine.stdin is not None
        assert engine.stdout is not None
        said = json.loads(engine.stdout.readline())
        queries: list[str] = []
        handler = type("Handler", (Proxy,), {"engine": f"http://127.0.0.1:{said['port']}/query", "queries": queries})
        with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
            thread = threading.Thread(target=server.serve_forever)
            thread.start()
            try:
                yield {"DAGGER_SESSION_PORT": str(server.server_address[1]), "DAGGER_SESSION_TOKEN": said["session_token"]}, queries
            finally:
                server.shutdown()
                thread.join()
        engine.stdin.close()


def test_outcomes_are_the_same_and_nothing_is_called_cached(make: Callable[..., Checkout], environ: dict[str, str]) -> None:
    project = make(
        lockgate_dot_toml=CONFIG,
        lockgate_dot_local_dot_toml=LOCAL,
        Dockerfile="ARG BASE\nFROM $BASE\nRUN mkdir /reports\n",
        load_dot_js=SCRIPT,
    )
    with older_engine(environ) as (given, queries):
        checkout = Checkout(project.root, {**environ, **given, "LOCKGATE_ENGINE": "auto"})
        first, again = checkout.run(), checkout.run()
    assert not any(FIELD in query for query in queries)
    for ended in (first, again):
        assert ended.code == 1, ended.stderr
        statuses = {name: step["status"] for name, step in ended.steps.items()}
        assert statuses == {
            "image.app": "passed",
            "test.good": "passed",
            "test.bad": "failed",
            "scan.app": "passed",
            "perf.load": "passed",
        }
        assert not any(step["cached"] for step in ended.document["steps"])
        assert ended.steps["perf.load"]["facts"]["requests"] > 0

    def printed(step: str) -> set[str]:
        return {log for ended in (first, again) for log in [Path(ended.steps[step]["log"]).read_text().splitlines()[-1]]}

    assert len(printed("test.good")) == 1  # replayed, though nobody could tell
    assert len(printed("test.bad")) == 2  # never replayed
