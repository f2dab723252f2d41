"""A session process of the embedded engine, started as an SDK starts it, with all its processes in reach."""

from __future__ import annotations

import json
import os
import select
import subprocess
import sys
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Self

import dagger

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator, Mapping

PROGRAM = Path(sys.executable).parent / "lockgate-engine"
PATIENCE = 30.0  # seconds something that takes milliseconds may take


class Engine:
    """An open session: its process, and behind it process 1 of its namespaces and the engine proper.

    Attributes:
        process: what a client starts.
        port, token: what a client connects with.
        pids: of the three processes, from the outside in.
    """

    def __init__(self, process: subprocess.Popen[bytes], log: Path) -> None:
        self.process = process
        self._log = log
        self.port, self.token = self._greeting()
        one = _children(process.pid)[0]
        self.pids = (process.pid, one, _children(one)[0])
        self._jail = os.pidfd_open(one)
        self._namespace = str(Path(f"/proc/{one}/ns/pid").readlink())

    @classmethod
    def start(cls, store: Path, log: Path, environ: Mapping[str, str] | None = None, workdir: Path | None = None) -> Self:
        wanted = {**os.environ, "LOCKGATE_STORE": str(store), **(environ or {})}
        pipe = subprocess.PIPE
        with log.open("ab") as stderr:
            return cls(subprocess.Popen([PROGRAM, "session"], stdin=pipe, stdout=pipe, stderr=stderr, env=wanted, cwd=workdir), log)

    def _greeting(self) -> tuple[int, str]:
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        assert line, self._log.read_text()
        said = json.loads(line)
        return said["port"], said["session_token"]

    @asynccontextmanager
    async def client(self) -> AsyncIterator[dagger.Client]:
        """A client of this session."""
        stack = AsyncExitStack()
        with _session(self.port, self.token):
            client = await stack.enter_async_context(dagger.Connection(dagger.Config(retry=None)))
        try:
            yield client
        finally:
            with suppress(Exception):  # the session may be dead
                await stack.aclose()

    def wait_until_gone(self) -> None:
        """Wait for the end of everything in the session: the kernel reports process 1 dead after all others."""
        poll = select.poll()
        poll.register(self._jail, select.POLLIN)
        assert poll.poll(PATIENCE * 1000), f"process {self.pids[1]} lives on"
        self.process.wait(PATIENCE)

    def close(self) -> int:
        """End the session in good order, as a client does; the exit code."""
        assert self.process.stdin is not None
        self.process.stdin.close()
        return self.process.wait(2 * PATIENCE)

    def release(self) -> None:
        """Make sure of the end, however the test went, and let go of the process."""
        if self.process.poll() is None:
            self.process.kill()
        self.wait_until_gone()
        for stream in (self.process.stdin, self.process.stdout):
            assert stream is not None
            with suppress(OSError):
                stream.close()
        os.close(self._jail)

    @property
    def said(self) -> str:
        """The session's log."""
        return self._log.read_text(errors="replace")

    def survivors(self) -> list[int]:
        """Processes in the session's pid namespace."""
        return [pid for pid in _processes() if _namespace_of(pid) == self._namespace]


@dataclass
class Engines:
    """Starts engines on one store; none outlives the test.

    Attributes:
        store: the folder (LOCKGATE_STORE).
    """

    store: Path
    folder: Path
    environ: dict[str, str] = field(default_factory=dict)
    _started: list[Engine] = field(default_factory=list)

    def start(self, environ: Mapping[str, str] | None = None, workdir: Path | None = None) -> Engine:
        log = self.folder / f"engine-{len(self._started)}.log"
        engine = Engine.start(self.store, log, {**self.environ, **(environ or {})}, workdir)
        self._started.append(engine)
        return engine

    def end(self) -> None:
        for engine in self._started:
            engine.release()

    @property
    def newest(self) -> Engine:
        """The one started last."""
        return self._started[-1]

    @property
    def root(self) -> Path:
        """The one store in the folder."""
        (root,) = self.store.glob("store-*")
        return root


@contextmanager
def _session(port: int, token: str) -> Iterator[None]:
    os.environ |= {"DAGGER_SESSION_PORT": str(port), "DAGGER_SESSION_TOKEN": token}
    try:
        yield
    finally:
        del os.environ["DAGGER_SESSION_PORT"], os.environ["DAGGER_SESSION_TOKEN"]


def _children(pid: int) -> list[int]:
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def _processes() -> list[int]:
    return [int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdigit()]


def _namespace_of(pid: int) -> str | None:
    try:
        if Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z":
            return None
        return str(Path(f"/proc/{pid}/ns/pid").readlink())
    except OSError:
        return None


def mounts_naming(folder: Path) -> list[str]:
    """Mounts anywhere on the machine that come from or are on something in `folder`."""
    found = []
    for pid in _processes():
        with suppress(OSError):
            found += [line for line in Path(f"/proc/{pid}/mountinfo").read_text().splitlines() if f"{folder}/" in line]
    return found
