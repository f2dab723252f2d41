"""Query: where every chain of calls starts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pipelines.engine.embedded.api.registry import field
from pipelines.engine.embedded.images import platforms
from pipelines.engine.embedded.ops.files.actions import ActionOp
from pipelines.engine.embedded.ops.files.edits import WriteFile
from pipelines.engine.embedded.ops.secrets import given_secret, secret_from_uri
from pipelines.engine.embedded.ops.values.op import SCRATCH_OP
from pipelines.engine.embedded.ops.values.states import CacheState, ContainerState, DirectoryState, FileState, SecretState

if TYPE_CHECKING:
    from pipelines.engine.embedded.ops.interface import ClientSession

Args = dict[str, Any]


@field("Query.container", args=("platform",))
def container(session: ClientSession, _: None, args: Args) -> ContainerState:
    return ContainerState(str(platforms.parse(args["platform"])) if args["platform"] else session.platform)


@field("Query.directory")
def directory(_: ClientSession, __: None, ___: Args) -> DirectoryState:
    return DirectoryState()


@field("Query.file", args=("name", "contents", "permissions"))
def file(_: ClientSession, __: None, args: Args) -> FileState:
    path = "/" + args["name"].lstrip("/")
    return FileState(ActionOp(SCRATCH_OP, WriteFile(path, args["contents"].encode(), args["permissions"])), path)


@field("Query.defaultPlatform")
def default_platform(session: ClientSession, _: None, __: Args) -> str:
    return session.platform


@field("Query.cacheVolume", args=("key", "source", "sharing", "owner"))
def cache_volume(_: ClientSession, __: None, args: Args) -> CacheState:
    return CacheState(args["key"], args.get("source"), args.get("sharing") or "SHARED", args.get("owner") or "")


@field("Query.setSecret", args=("name", "plaintext"))
def set_secret(_: ClientSession, __: None, args: Args) -> SecretState:
    return given_secret(args["name"], args["plaintext"])


@field("Query.secret", args=("uri", "cacheKey"))
def secret(session: ClientSession, _: None, args: Args) -> SecretState:
    return secret_from_uri(session.workdir, args["uri"], args.get("cacheKey"))


@field("Secret.plaintext")
async def plaintext(session: ClientSession, state: SecretState, _: Args) -> str:
    return (await session.secret_value(state)).decode(errors="replace")


@field("Secret.name")
def secret_name(_: ClientSession, state: SecretState, __: Args) -> str:
    return state.name


@field("Secret.uri")
def secret_uri(_: ClientSession, state: SecretState, __: Args) -> str:
    return state.uri
