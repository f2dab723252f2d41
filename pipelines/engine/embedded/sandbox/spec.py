"""What to run: pure values, given to `Runtime`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from pipelines.engine.embedded.network.lease import Lease

Stream = Literal["stdout", "stderr"]
OnOutput = Callable[[Stream, bytes], None]
"""Called with each masked chunk as it comes, from the event loop: must neither block nor raise."""


@dataclass(frozen=True, slots=True)
class Bind:
    """A file or directory (or Unix socket) of the engine's view, shown at `target`, an absolute path in the container."""

    source: Path
    target: str
    readonly: bool = False


@dataclass(frozen=True, slots=True)
class Tmpfs:
    """An empty file system in memory at `target`; `size` in bytes, None for the kernel's default (half the memory)."""

    target: str
    size: int | None = None
    mode: int = 0o1777
    readonly: bool = False


@dataclass(frozen=True, slots=True)
class SecretFile:
    """A file only this container sees, kept in memory and never in the root file system."""

    target: str
    data: bytes = field(repr=False)
    uid: int = 0
    gid: int = 0
    mode: int = 0o400


@dataclass(frozen=True, slots=True)
class CaptureFiles:
    """Files that output is written to, masked; a stream without a file is dropped (after `on_output` saw it).

    `combined` holds both streams in the order they came; within 20 ms standard output comes before standard error, so that a short
    program's combined output is always the same.
    """

    stdout: Path | None = None
    stderr: Path | None = None
    combined: Path | None = None


@dataclass(frozen=True, slots=True)
class ContainerSpec:
    """One command in one container.

    Args:
        rootfs: a mounted, writable root directory. Mount points made for this run are removed from it afterwards.
        args: the command; never empty.
        env: `KEY=value` entries. PATH and HOME get defaults when missing.
        cwd: absolute; made when missing.
        user: "" (root), a name, `uid`, `uid:gid`, `name:group`; looked up in the rootfs.
        mounts: shown in this order, later ones on top.
        secrets: shown after `mounts`.
        stdin: bytes, a file, or nothing (/dev/null).
        capture: where output goes.
        masks: values replaced by `***` in all output.
        hosts: alias -> IPv4 address, for /etc/hosts.
        network: a lease of the session's switch; None: loopback only.
        privileged: all capabilities, devices and no seccomp profile ("insecure root capabilities").
        init: run the command under an init process that reaps zombies and forwards signals, where one is installed.
    """

    rootfs: Path
    args: tuple[str, ...]
    env: tuple[str, ...] = field(default=(), repr=False)
    cwd: str = "/"
    user: str = ""
    mounts: tuple[Bind | Tmpfs, ...] = ()
    secrets: tuple[SecretFile, ...] = ()
    stdin: bytes | Path | None = field(default=None, repr=False)
    capture: CaptureFiles = CaptureFiles()
    masks: tuple[bytes, ...] = field(default=(), repr=False)
    hostname: str = "lockgate"
    hosts: Mapping[str, str] = field(default_factory=dict)
    network: Lease | None = None
    privileged: bool = False
    init: bool = True


@dataclass(frozen=True, slots=True)
class CommandExit:
    """How a command ended.

    Args:
        code: the exit code; 128 + n when signal n ended it; 1 when it could not be started.
        signal: the signal that ended it, where known.
        error: why the command could not be started, such as `exec: "x": executable file not found in $PATH`; it is in the captured
            stderr too.
    """

    code: int
    signal: int | None = None
    error: str | None = None
