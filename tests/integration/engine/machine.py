"""Helpers of the engine's integration tests: containers without an image, sockets and processes in namespaces."""

from __future__ import annotations

import os
import socket
import sys
import threading
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from pipelines.engine.embedded.network.namespaces import entered
from pipelines.engine.embedded.sandbox.spec import Bind, CaptureFiles, CommandExit, ContainerSpec, OnOutput

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from pipelines.engine.embedded.sandbox.runtime import Runtime

T = TypeVar("T")
MACHINE_IP, OUTSIDE_IP = "192.0.2.2", "192.0.2.1"  # TEST-NET-1 (RFC 5737)
PYTHON = os.path.realpath(sys._base_executable)  # type: ignore[attr-defined]  # the one outside this virtual environment


@dataclass
class Machine:
    """The network as the engine finds it: `outside` is a namespace behind the machine's only interface."""

    outside: int

    def listen_outside(self, kind: socket.SocketKind = socket.SOCK_STREAM) -> socket.socket:
        """A socket where containers should get to: it listens, or takes datagrams."""
        return in_thread(lambda: self._bind(kind))

    def _bind(self, kind: socket.SocketKind) -> socket.socket:
        with entered(self.outside):
            made = socket.socket(socket.AF_INET, kind | socket.SOCK_NONBLOCK)
            made.bind((OUTSIDE_IP, 0))
            if kind == socket.SOCK_STREAM:
                made.listen()
            return made


@dataclass
class Result:
    exit: CommandExit
    stdout: str
    stderr: str
    combined: str


@dataclass
class Box:
    """Runs commands in containers, each `Box` with one root file system."""

    runtime: Runtime
    folder: Path
    rootfs: Path
    mounts: tuple[Bind, ...]
    env: tuple[str, ...] = ()
    _results: Iterator[int] = field(default_factory=lambda: iter(range(1000)))

    def spec(self, *args: str, **changes: Any) -> ContainerSpec:
        mounts = (*self.mounts, *changes.pop("mounts", ()))
        return replace(ContainerSpec(self.rootfs, args, mounts=mounts, env=self.env), **changes)

    async def run(self, *args: str, on_output: OnOutput | None = None, **changes: Any) -> Result:
        folder = self.folder / f"result-{next(self._results)}"
        folder.mkdir()
        capture = CaptureFiles(folder / "stdout", folder / "stderr", folder / "combined")
        exit_ = await self.runtime.run(self.spec(*args, capture=capture, **changes), on_output)
        return Result(exit_, *((folder / name).read_text() for name in ("stdout", "stderr", "combined")))

    async def sh(self, script: str, **changes: Any) -> Result:
        return await self.run("sh", "-c", script, **changes)

    async def python(self, script: str, *args: str, **changes: Any) -> Result:
        return await self.run(PYTHON, "-c", script, *args, **changes)

    def written(self) -> list[str]:
        """What is in the root file system's upper layer: files made, and folders of the lower layer that were touched."""
        upper = self.folder / "upper"
        return sorted(str(path.relative_to(upper)) for path in upper.rglob("*"))


def programs(lower: Path) -> Iterator[Bind]:
    for name in ("usr", "bin", "sbin", "lib", "lib32", "lib64", "libx32"):
        real = Path("/") / name
        if real.is_symlink():
            (lower / name).symlink_to(real.readlink())
        elif real.is_dir():
            (lower / name).mkdir()
            yield Bind(real, f"/{name}", readonly=True)
    prefix = Path(sys.base_prefix)
    if not prefix.is_relative_to("/usr"):
        lower.joinpath(*prefix.parts[1:]).mkdir(parents=True)
        yield Bind(prefix, str(prefix), readonly=True)


def in_thread(function: Callable[[], T]) -> T:
    """Call it in a thread that ends: whatever namespaces it enters."""
    results: list[T] = []
    thread = threading.Thread(target=lambda: results.append(function()))
    thread.start()
    thread.join()
    return results[0]


def processes_of(pid_namespace: str) -> list[int]:
    """The living processes in a pid namespace, as /proc/PID/ns/pid names it."""
    found = []
    for entry in Path("/proc").iterdir():
        with suppress(OSError):
            if entry.name.isdigit() and str((entry / "ns/pid").readlink()) == pid_namespace and not is_zombie(entry):
                found.append(int(entry.name))
    return found


def is_zombie(process: Path) -> bool:
    return process.joinpath("stat").read_text().rpartition(")")[2].split()[0] == "Z"


def processes_with(argument: str) -> list[int]:
    """The processes of the whole machine that have it on their command line."""
    found = []
    for entry in Path("/proc").iterdir():
        with suppress(OSError):
            if entry.name.isdigit() and argument.encode() in (entry / "cmdline").read_bytes().split(b"\0"):
                found.append(int(entry.name))
    return found
