"""The session's first process, with a small server in the jail in place of the engine."""

from __future__ import annotations

import json
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pathlib import Path

LIMIT = 30  # seconds until a test that hangs fails
HEAVY = {"asyncio", "dagger", "dataclasses", "graphql", "h11", "inspect", "json", "logging", "pydantic", "rich", "subprocess"}
PROGRAM = """
import os, sys
from pipelines.engine.embedded import launcher
from pipelines.engine.embedded.errors import EmbeddedUnavailable

def serve(sock, token, options, cell):
{serve}

options = launcher.SessionOptions("/", {{"a": "b"}}, sys.argv[2] == "rootless", sys.argv[1])
try:
    sys.exit(launcher.run_session(options, serve))
except EmbeddedUnavailable as error:
    sys.exit(f"unavailable: {{error}}")
"""
ECHO = """
print("log line", file=sys.stderr, flush=True)
print("not for standard output", flush=True)
while True:
    import select
    ready, _, _ = select.select([sock, cell.stop], [], [])
    if cell.stop in ready:
        return 0
    client, _ = sock.accept()
    client.sendall(token.encode() + client.recv(100))
    client.close()
"""
JUST_BEFORE_POLL = """
import ctypes, functools, operator, os, select, signal, sys
from pipelines.engine.embedded import launcher

class Poll:  # raises a signal and polls without a step of Python between them, the first time
    def __init__(self, poll=select.poll):
        self._poll = poll()
        self.register, self.unregister = self._poll.register, self._poll.unregister
        self._raise = [functools.partial(ctypes.CDLL(None)["raise"], signal.SIGINT)]

    def poll(self):
        return list(map(operator.call, [*(self._raise.pop() for _ in self._raise[:]), self._poll.poll]))[-1]

def serve(sock, token, options, cell):
    os.read(cell.stop, 1)
    return 0

select.poll = Poll
sys.exit(launcher.run_session(launcher.SessionOptions("/", {}, False, sys.argv[1]), serve))
"""
STUBBORN = """
import time
os.write(2, b"ready\\n")
while True:
    time.sleep(1000)
"""
Start = Callable[[str], "subprocess.Popen[bytes]"]


@pytest.fixture(params=["root", "rootless"])
def start(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Start]:
    started: list[subprocess.Popen[bytes]] = []

    def run(serve: str) -> subprocess.Popen[bytes]:
        program = PROGRAM.format(serve="\n".join("    " + line for line in serve.strip().splitlines()))
        command = [sys.executable, "-c", program, str(tmp_path), request.param]
        started.append(subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE))
        return started[-1]

    yield run
    for one in started:
        with one:
            one.kill()


def handshake(process: subprocess.Popen[bytes]) -> dict[str, object]:
    assert process.stdout is not None
    line = process.stdout.readline()
    if not line:
        _, err = process.communicate(timeout=LIMIT)
        if err.startswith(b"unavailable"):
            pytest.skip(err.decode())
        raise AssertionError(err.decode())
    said = json.loads(line)
    assert isinstance(said, dict)
    return said


def test_one_line_says_where_it_listens(start: Start) -> None:
    process = start(ECHO)
    said = handshake(process)
    assert said.keys() == {"port", "session_token"}
    assert isinstance(said["port"], int)
    with socket.create_connection(("127.0.0.1", said["port"]), timeout=LIMIT) as client:
        client.sendall(b" hello")
        answer = client.recv(1000)
    assert answer.decode() == f"{said['session_token']} hello"
    out, err = process.communicate(timeout=LIMIT)  # which closes its standard input
    assert process.returncode == 0
    assert out == b""
    assert err.splitlines() == [b"log line", b"not for standard output"]


def test_tokens_are_never_the_same(start: Start) -> None:
    tokens = {str(handshake(start(ECHO))["session_token"]) for _ in range(3)}
    assert len(tokens) == 3
    assert all(len(token) == 64 for token in tokens)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_a_signal_ends_it_in_good_order(start: Start, number: signal.Signals) -> None:
    process = start(ECHO)
    handshake(process)
    process.send_signal(number)
    assert process.wait(LIMIT) == 0


@pytest.mark.root
def test_a_signal_that_comes_just_before_the_wait_ends_it_too(tmp_path: Path) -> None:
    command = [sys.executable, "-c", JUST_BEFORE_POLL, str(tmp_path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL) as process:
        try:
            assert process.wait(LIMIT) == 0
        finally:
            process.kill()


def test_input_is_ignored_until_it_ends(start: Start) -> None:
    process = start(ECHO)
    handshake(process)
    assert process.stdin is not None
    process.stdin.write(b"noise" * 1000)
    process.stdin.flush()
    process.send_signal(0)
    assert process.poll() is None
    process.stdin.close()
    assert process.wait(LIMIT) == 0


@pytest.mark.parametrize("second", [signal.SIGINT, signal.SIGALRM])
def test_what_does_not_end_is_killed(start: Start, second: signal.Signals) -> None:
    """On being asked twice, or when its time is up, which an alarm tells."""
    process = start(STUBBORN)
    handshake(process)
    assert process.stderr is not None
    assert process.stderr.readline() == b"ready\n"
    process.send_signal(signal.SIGTERM)
    process.send_signal(second)
    assert process.wait(LIMIT) == 128 + signal.SIGKILL
    assert b"was killed; the store is intact" in process.stderr.read()


@pytest.mark.parametrize(
    ("serve", "code", "said"),
    [
        ("return 5", 5, b"the engine ended with exit code 5"),
        ("os.kill(os.getpid(), 9)", 137, b"the engine ended with exit code 137"),
        ("raise EmbeddedUnavailable('no runtime here')", 4, b"engine: no runtime here"),
    ],
)
def test_an_engine_that_ends_by_itself_ends_the_session(start: Start, serve: str, code: int, said: bytes) -> None:
    process = start(serve)
    handshake(process)
    assert process.wait(LIMIT) == code
    assert process.stderr is not None
    assert said in process.stderr.read()


def test_a_caller_that_has_gone_ends_it(start: Start) -> None:
    process = start(ECHO)
    assert process.stdout is not None
    process.stdout.close()
    _, err = process.communicate(timeout=LIMIT)
    if err.startswith(b"unavailable"):
        pytest.skip(err.decode())
    assert process.returncode == 0
    assert b"Traceback" not in err


def test_it_starts_without_standard_streams(tmp_path: Path) -> None:
    """Closed descriptors must not be taken by the socket: the line goes nowhere, and the session ends at once."""
    program = PROGRAM.format(serve="    return 0 if os.read(cell.stop, 1) == b'' else 1")
    script = 'exec "$0" "$@" <&- >&- 2>&-'
    done = subprocess.run(["sh", "-c", script, sys.executable, "-c", program, str(tmp_path), "root"], timeout=LIMIT, check=False)
    assert done.returncode in {0, 1}  # 1: namespaces are refused here


def test_nothing_heavy_is_imported_before_the_line_is_out() -> None:
    program = "import sys; from pipelines.engine.embedded import launcher, main, paths; print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=LIMIT, check=True).stdout.split()
    assert HEAVY.isdisjoint(loaded)
