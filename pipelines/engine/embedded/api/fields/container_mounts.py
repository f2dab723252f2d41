"""Container: what is mounted into it, and the services it is bound to."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from pipelines.engine.embedded.api.registry import field
from pipelines.engine.embedded.ops.commands.expand import expand
from pipelines.engine.embedded.ops.values.states import (
    Binding,
    CacheMount,
    CacheState,
    Credential,
    DirectoryMount,
    SecretMount,
    SocketMount,
    TempMount,
)

if TYPE_CHECKING:
    from pipelines.engine.embedded.ops.interface import ClientSession
    from pipelines.engine.embedded.ops.values.states import ContainerState, Mount

Args = dict[str, Any]
FILE_SYSTEMS = (DirectoryMount, CacheMount, TempMount)


def path_of(state: ContainerState, args: Args, name: str = "path") -> str:
    """A path argument, absolute: seen from the working directory, expanded if asked."""
    path = expand(args[name], state.config.env) if args.get("expand") else args[name]
    return state.absolute(path)


def mounted(state: ContainerState, mount: Mount) -> ContainerState:
    """The container with `mount`: a file system in place of those at its path and below it, which it hides; a secret or a socket of those
    at its path.

    Secrets and sockets are put over file systems, whatever came first: they stay.
    """
    return replace(state, mounts=(*(other for other in state.mounts if not _covers(mount, other)), mount))


def _covers(mount: Mount, other: Mount) -> bool:
    if isinstance(mount, FILE_SYSTEMS):
        below = other.target.startswith(mount.target.rstrip("/") + "/")
        return isinstance(other, FILE_SYSTEMS) and (other.target == mount.target or below)
    return type(other) is type(mount) and other.target == mount.target


@field("Container.withMountedDirectory", args=("path", "source", "owner", "readOnly", "expand"))
def with_mounted_directory(_: ClientSession, state: ContainerState, args: Args) -> ContainerState:
    return mounted(state, DirectoryMount(path_of(state, args), args["source"], bool(args.get("readOnly")), args["owner"]))


@field("Container.withMountedFile", args=("path", "source", "owner", "expand"))
def with_mounted_file(_: ClientSession, state: ContainerState, args: Args) -> ContainerState:
    return mounted(state, DirectoryMount(path_of(state, args), args["source"], owner=args["owner"]))


@field("Container.withMountedTemp", args=("path", "size", "expand"))
def with_mounted_temp(_: ClientSession, state: ContainerState, args: Args) -> ContainerState:
    return mounted(state, TempMount(path_of(state, args), args["size"]))


@field("Container.withMountedCache", args=("path", "cache", "source", "sharing", "owner", "expand"))
def with_mounted_cache(_: ClientSession, state: ContainerState, args: Args) -> ContainerState:
    cache: CacheState = args["cache"]
    cache = replace(
        cache,
        source=args["source"] or cache.source,
        sharing=args["sharing"] if args["sharing"] != "SHARED" else cache.sharing,
        owner=args["owner"] or cache.owner,
    )
    return mounted(state, CacheMount(path_of(state, args), cache))


@field("Container.withMountedSecret", args=("path", "source", "owner", "mode", "expand"))
def with_mounted_secret(_: ClientSession, state: ContainerState, args: Args) -> ContainerState:
    return mounted(state, SecretMount(path_of(state, args), args["source"], args["owner"], args["mode"]))


@field("Container.withUnixSocket", args=("path", "source", "expand"))
def with_unix_socket(_: ClientSession, state: ContainerState, args: Args) -> ContainerState:
    return mounted(state, SocketMount(path_of(state, args), args["source"]))


@field("Container.withoutMount", args=("path", "expand"))
def without_mount(_: ClientSession, state: ContainerState, args: Args) -> ContainerState:
    target = path_of(state, args)
    return replace(state, mounts=tuple(mount for mount in state.mounts if mount.target != target or isinstance(mount, SocketMount)))


@field("Container.withoutUnixSocket", args=("path", "expand"))
def without_unix_socket(_: ClientSession, state: ContainerState, args: Args) -> ContainerState:
    target = path_of(state, args)
    return replace(state, mounts=tuple(mount for mount in state.mounts if mount.target != target or not isinstance(mount, SocketMount)))


@field("Container.mounts")
def mounts(_: ClientSession, state: ContainerState, __: Args) -> list[str]:
    return [mount.target for mount in state.mounts if isinstance(mount, FILE_SYSTEMS)]


@field("Container.withServiceBinding", args=("alias", "service"))
def with_service_binding(_: ClientSession, state: ContainerState, args: Args) -> ContainerState:
    others = tuple(binding for binding in state.bindings if binding.alias != args["alias"])
    return replace(state, bindings=(*others, Binding(args["alias"], args["service"])))


@field("Container.withRegistryAuth", args=("address", "username", "secret"))
def with_registry_auth(_: ClientSession, state: ContainerState, args: Args) -> ContainerState:
    others = tuple(credential for credential in state.credentials if credential.address != args["address"])
    return replace(state, credentials=(*others, Credential(args["address"], args["username"], args["secret"])))


@field("Container.withoutRegistryAuth", args=("address",))
def without_registry_auth(_: ClientSession, state: ContainerState, args: Args) -> ContainerState:
    return replace(state, credentials=tuple(one for one in state.credentials if one.address != args["address"]))
