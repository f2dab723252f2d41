"""The process a client starts: says where the session listens within a tenth of a second, then waits for its end.

Bare Python on purpose: everything heavy is imported in the jail, behind the back of a client that is already connecting.
"""

from __future__ import annotations

import os
import select
import signal
import sys
from typing import TYPE_CHECKING, NamedTuple

from pipelines.engine.embedded import jail
from pipelines.foundation.streams import open_missing_streams

if TYPE_CHECKING:
    from collections.abc import Callable
    from socket import socket

    Serve = Callable[[socket, str, "SessionOptions", jail.JailInfo], int]

GRACE = 60  # seconds for an orderly end, before everything is killed
BACKLOG = 128
ONE_USER = (
    "note: containers have one user only: /etc/subuid and /etc/subgid have no range for this user, or newuidmap is missing "
    "(package uidmap); commands that need other users, such as installing packages, will fail"
)


class SessionOptions(NamedTuple):
    """What `lockgate-engine session` was asked for."""

    workdir: str
    labels: dict[str, str]
    rootless: bool
    run_dir: str


def run_session(options: SessionOptions, serve: Serve | None = None) -> int:
    """Run a session: until standard input ends, or SIGTERM, SIGINT or SIGHUP. Returns the exit code.

    Args:
        options: what was asked for.
        serve: what answers on the socket, in the jail; the engine's own API if not given.

    Raises:
        Unavailable: the engine cannot run here.
    """
    open_missing_streams()
    sock, token = _listen(), os.urandom(32).hex()

    def inside(info: jail.JailInfo) -> int:
        os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
        os.dup2(2, 1)  # standard output belongs to the one line that is on it
        return (serve or _serve)(sock, token, options, info)

    jailed = jail.start(inside, options.run_dir, rootless=options.rootless)
    jailed.ready()
    line = f'{{"port":{sock.getsockname()[1]},"session_token":"{token}"}}\n'
    sock.close()
    return _wait(jailed, line.encode())


def _serve(sock: socket, token: str, options: SessionOptions, info: jail.JailInfo) -> int:
    from pathlib import Path

    from pipelines.engine.embedded.api.serve import SessionSettings, serve

    if not info.mapped:
        print(ONE_USER, file=sys.stderr, flush=True)  # noqa: T201 - the session's log

    return serve(sock, SessionSettings(token, Path(options.workdir), options.labels, info.rootless), info.stop)


def _listen() -> socket:
    import socket

    sock = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    sock.bind(("127.0.0.1", 0))
    sock.listen(BACKLOG)
    return sock


def _wait(jailed: jail.RunningJail, line: bytes) -> int:
    """Say the line, and wait for the session's end, which our caller or the engine may bring about."""
    waiting = _Waiting(jailed)
    wakeup = _wakeup()
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, waiting.on_signal)
    signal.signal(signal.SIGALRM, waiting.on_alarm)
    if not _greet(line):
        waiting.stop()
    poll = select.poll()
    poll.register(0, select.POLLIN)
    poll.register(jailed.status, select.POLLIN)
    poll.register(wakeup, select.POLLIN)
    while jailed.status not in (ready := dict(poll.poll())):
        if wakeup in ready:
            os.read(wakeup, 512)  # its handler has run by now
        if 0 in ready and not _stdin_is_open():
            poll.unregister(0)
            waiting.stop()
    return waiting.result(jailed.wait())


def _wakeup() -> int:
    """A descriptor that can be read from once a signal has come.

    Python calls a handler between two steps of ours. A signal that comes after the last look at them, and before `poll` sleeps, would wake
    nobody (https://docs.python.org/3/library/signal.html#signal.set_wakeup_fd).
    """
    reader, writer = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
    signal.set_wakeup_fd(writer, warn_on_full_buffer=False)
    return reader


def _greet(line: bytes) -> bool:
    """Whether there is somebody to tell."""
    try:
        return os.write(1, line) == len(line)
    except OSError:
        return False


def _stdin_is_open() -> bool:
    """Whether standard input still is open: what it says is of no interest."""
    try:
        return bool(os.read(0, 65536))
    except OSError:
        return False


class _Waiting:
    """How far the end has come. Signal handlers run between the steps of `_wait`."""

    def __init__(self, jailed: jail.RunningJail) -> None:
        self._jailed = jailed
        self._stopping = False
        self._killed = False

    def stop(self) -> None:
        self._stopping = True
        self._jailed.stop()
        signal.alarm(GRACE)

    def on_signal(self, *_: object) -> None:
        if self._stopping:  # asked twice: they mean it
            self.on_alarm()
        else:
            self.stop()

    def on_alarm(self, *_: object) -> None:
        self._killed = True
        self._jailed.kill()

    def result(self, code: int) -> int:
        """The exit code for how the jail ended: 0 when it was asked to, whatever was cancelled by that."""
        signal.alarm(0)
        if self._killed:
            print("engine: the session did not end by itself and was killed; the store is intact", file=sys.stderr)  # noqa: T201
        elif code < 0 or (code and not self._stopping):
            how = f"was killed by signal {-code}" if code < 0 else f"ended with exit code {code}"
            print(f"engine: the engine {how}", file=sys.stderr)  # noqa: T201
        return code if code >= 0 else 128 - code
