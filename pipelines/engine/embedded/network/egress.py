"""The way out of a switch: pasta or slirp4netns carries its packets over ordinary sockets of the machine, with no change to the machine."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from pipelines.engine.embedded.child import Child, spawn

if TYPE_CHECKING:
    from collections.abc import Awaitable, Iterator

DEADLINE = 5.0  # seconds a helper has to be ready
INTERFACE = "uplink"
_PASTA_DNS = "169.254.1.1"  # what it answers DNS on: an address nobody else has (RFC 3927, link-local)
_SLIRP_DNS = "10.0.2.3"  # slirp4netns(1)
_TUN = Path("/dev/net/tun")
_SHOWN = 200  # characters of a helper's complaint that are passed on
_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class Egress:
    """The helper that connects a switch; `dns` is where it forwards DNS to the machine's own resolver. No helper: `problem` says why."""

    helper: Child | None = None
    dns: str | None = None
    problem: str | None = None

    async def close(self) -> None:
        """End the helper, if there is one, and wait for its end."""
        if self.helper is not None:
            self.helper.send(signal.SIGKILL)
            await self.helper.wait()


async def connect(netns: Path, path: str = _PATH) -> Egress:
    """Give the network namespace at `netns` a way out that does not lead to the machine's loopback. Never raises.

    The helper is looked for in the folders of `path` (as in PATH), and ends with `close`, or with the session's pid namespace. A file may
    be made beside `netns`.
    """
    if not os.access(_TUN, os.R_OK | os.W_OK):
        return Egress(problem=f"{_TUN} is missing or closed to this user")
    problems = []
    for start in (_pasta, _slirp4netns):
        try:
            return await start(netns, path)
        except OSError as problem:
            problems.append(str(problem))
    return Egress(problem="; ".join(problems))


async def _pasta(netns: Path, path: str) -> Egress:
    """pasta(1) goes into the background when it is ready."""
    pid_file = netns.with_suffix(".pid")
    with _memory("messages") as messages:
        options = ["--quiet", "--ipv4-only", "--config-net", "--ns-ifname", INTERFACE, "--dns-forward", _PASTA_DNS]
        closed = ["--no-map-gw", "-t", "none", "-u", "none", "-T", "none", "-U", "none"]
        ids = ["--runas", f"{os.getuid()}:{os.getgid()}", "--pid", str(pid_file)]
        process = _spawn(["pasta", *options, *closed, *ids, "--netns", str(netns)], path, (messages, messages))
        ended = await _in_time(process, process.wait())
        if ended.code != 0:
            raise _failed("pasta", messages)
        return Egress(Child(int(pid_file.read_text())), _PASTA_DNS)


async def _slirp4netns(netns: Path, path: str) -> Egress:
    """slirp4netns(1) writes to a descriptor when it is ready, and stays."""
    options = ["--configure", "--mtu=65520", "--disable-host-loopback", "--ready-fd=1", "--netns-type=path"]
    with ExitStack() as open_here, _memory("messages") as messages:
        ready, ready_writer = os.pipe()
        open_here.callback(os.close, ready)
        try:
            process = _spawn(["slirp4netns", *options, str(netns), INTERFACE], path, (ready_writer, messages))
        finally:
            os.close(ready_writer)
        if not await _in_time(process, asyncio.to_thread(os.read, ready, 1)):
            raise _failed("slirp4netns", messages)
    return Egress(process, _SLIRP_DNS)


def _spawn(argv: list[str], path: str, output: tuple[int, int]) -> Child:
    program = shutil.which(argv[0], path=path)
    if program is None:
        raise FileNotFoundError(f"{argv[0]} is not installed")
    nothing = os.open(os.devnull, os.O_RDONLY | os.O_CLOEXEC)
    try:
        return spawn(argv, executable=program, env={"PATH": path}, stdio=(nothing, *output))
    finally:
        os.close(nothing)


async def _in_time(process: Child, ready: Awaitable[_T]) -> _T:
    try:
        return await asyncio.wait_for(ready, DEADLINE)
    except TimeoutError as problem:
        process.send(signal.SIGKILL)
        raise OSError(f"not ready after {DEADLINE:.0f} s") from problem


def _failed(name: str, messages: int) -> OSError:
    lines = os.pread(messages, 1 << 16, 0).decode(errors="replace").strip().splitlines()
    return OSError(f"{name}: {lines[-1][:_SHOWN] if lines else 'failed'}")


@contextmanager
def _memory(name: str) -> Iterator[int]:
    """A file in memory, as a descriptor."""
    memory = os.memfd_create(name, os.MFD_CLOEXEC)
    try:
        yield memory
    finally:
        os.close(memory)
