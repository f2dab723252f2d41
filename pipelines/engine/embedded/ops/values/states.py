"""What API objects are once their calls are resolved: immutable descriptions; file systems in them are lazy ops."""

from __future__ import annotations

import posixpath
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from pipelines.engine.embedded.ops.values.config import EMPTY, Config, Pairs
from pipelines.engine.embedded.ops.values.op import SCRATCH_OP, Op

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path


def inside(base: str, path: str) -> str:
    """`path` seen from the directory `base`, absolute and normal; it never leads above `/`."""
    return posixpath.normpath(posixpath.join("/", base, path)).replace("//", "/")


@dataclass(frozen=True, slots=True)
class DirectoryState:
    """A directory: `path` (absolute) in the file system `op`."""

    op: Op = SCRATCH_OP
    path: str = "/"


@dataclass(frozen=True, slots=True)
class FileState:
    """A file: `path` (absolute) in the file system `op`."""

    op: Op
    path: str


@dataclass(frozen=True, slots=True)
class SecretState:
    """A secret. `identity` is what keys may hold of it (name, URI or cache key); `read` gives its value when a container needs it."""

    name: str
    identity: str
    uri: str
    read: Callable[[], bytes] = field(compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class CacheState:
    """A cache volume; `key` is its name in the store, where later sessions find it."""

    key: str
    source: DirectoryState | None = None
    sharing: str = "SHARED"
    owner: str = ""


@dataclass(frozen=True, slots=True)
class SocketState:
    """A Unix socket of the host."""

    path: Path


@dataclass(frozen=True, slots=True)
class DirectoryMount:
    """A directory or file mounted into a container; what a command writes to it goes on to the next."""

    target: str
    source: DirectoryState | FileState
    readonly: bool = False
    owner: str = ""


@dataclass(frozen=True, slots=True)
class CacheMount:
    """A cache volume mounted into a container; later sessions find what is written to it."""

    target: str
    cache: CacheState
    readonly: bool = False


@dataclass(frozen=True, slots=True)
class TempMount:
    """A tmpfs; `size` in bytes, None for the kernel's default."""

    target: str
    size: int | None = None
    readonly: bool = False


@dataclass(frozen=True, slots=True)
class SecretMount:
    """A secret's value as a file (`target`, absolute) of one container, in memory only. `owner` is `user[:group]`."""

    target: str
    secret: SecretState
    owner: str = ""
    mode: int = 0o400


@dataclass(frozen=True, slots=True)
class SocketMount:
    """A Unix socket of the host, shown in a container as `target`."""

    target: str
    socket: SocketState


Mount = DirectoryMount | CacheMount | TempMount | SecretMount | SocketMount


@dataclass(frozen=True, slots=True)
class HostPort:
    """A port of the host that containers may reach as `frontend`."""

    backend: int
    frontend: int
    protocol: str = "TCP"


@dataclass(frozen=True, slots=True)
class ServiceState:
    """A service: a container's command (`container`, with its `command`), ports of the host, or a tunnel to another service.

    `digest` names the recipe: services with one digest are one running thing in a session.
    """

    digest: str
    container: ContainerState | None = None
    command: Any = None
    host_ports: tuple[HostPort, ...] = ()
    tunnel: ServiceState | None = None
    tunnel_ports: tuple[HostPort, ...] = ()
    socket: SocketState | None = None
    hostname: str = ""

    @property
    def name(self) -> str:
        """The host name other containers know it by without an alias."""
        return self.hostname or f"sv{self.digest[:13]}"


@dataclass(frozen=True, slots=True)
class Binding:
    """A service a container's commands can reach as `alias`."""

    alias: str
    service: ServiceState


@dataclass(frozen=True, slots=True)
class Credential:
    """Who we are at a registry (`address` is host[:port][/path])."""

    address: str
    username: str
    secret: SecretState


@dataclass(frozen=True, slots=True)
class ContainerState:
    """A container: root file system, configuration, and what its commands are given beside them.

    `image` is the configuration of the image it began with, whole. `last` is the exec its `stdout`, `stderr` and `exitCode` speak of.
    """

    platform: str
    rootfs: Op = SCRATCH_OP
    config: Config = EMPTY
    mounts: tuple[Mount, ...] = ()
    secret_env: tuple[tuple[str, SecretState], ...] = ()
    volatile: Pairs = ()
    bindings: tuple[Binding, ...] = ()
    credentials: tuple[Credential, ...] = ()
    image: Mapping[str, Any] | None = field(default=None, compare=False, repr=False)
    image_ref: str | None = None
    last: Op | None = None

    def mount_at(self, path: str) -> Mount | None:
        """The innermost mount that holds `path` (absolute), if any."""
        holders = [mount for mount in self.mounts if path == mount.target or path.startswith(mount.target.rstrip("/") + "/")]
        return max(holders, key=lambda mount: len(mount.target), default=None)

    def absolute(self, path: str) -> str:
        """`path` seen from the working directory."""
        return inside(self.config.workdir or "/", path)
