"""What comes from elsewhere: git repositories, files by HTTP, and addresses that stand for any of them."""

from __future__ import annotations

import fnmatch
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipelines.engine.embedded.api.registry import field
from pipelines.engine.embedded.errors import InvalidInput
from pipelines.engine.embedded.ops.download import download
from pipelines.engine.embedded.ops.git.local import local_repository
from pipelines.engine.embedded.ops.git.refs import latest_version, resolve
from pipelines.engine.embedded.ops.git.tree import TreeOp
from pipelines.engine.embedded.ops.images import container_from
from pipelines.engine.embedded.ops.secrets import secret_from_uri
from pipelines.engine.embedded.ops.values.repository import COMMIT, GitRef, GitRepository, open_repository
from pipelines.engine.embedded.ops.values.states import ContainerState, DirectoryState, FileState, SecretState, SocketState

if TYPE_CHECKING:
    from pipelines.engine.embedded.ops.interface import ClientSession

Args = dict[str, Any]
HEADS, TAGS = "refs/heads/", "refs/tags/"


@field("Query.http", args=("url", "name", "permissions", "checksum", "authHeader"))
async def http(session: ClientSession, _: None, args: Args) -> FileState:
    header = args.get("authHeader")
    return await download(
        session,
        args["url"],
        name=args.get("name"),
        mode=args.get("permissions"),
        checksum=args.get("checksum"),
        authorization=await session.secret_value(header) if header else None,
    )


@field("Query.git", args=("url", "keepGitDir", "sshKnownHosts", "sshAuthSocket", "httpAuthUsername", "httpAuthToken", "httpAuthHeader"))
async def repository(session: ClientSession, _: None, args: Args) -> GitRepository:
    token, header = args.get("httpAuthToken"), args.get("httpAuthHeader")
    socket: SocketState | None = args.get("sshAuthSocket")
    return open_repository(
        args["url"],
        username=args.get("httpAuthUsername") or "",
        token=await session.secret_value(token) if token else None,
        header=await session.secret_value(header) if header else None,
        socket=socket.path if socket else None,
        known_hosts=args.get("sshKnownHosts") or "",
    )


@field("Directory.asGit")
async def as_git(session: ClientSession, state: DirectoryState, _: Args) -> GitRepository:
    return await local_repository(session, state)


@field("GitRepository.url")
def url(_: ClientSession, state: GitRepository, __: Args) -> str | None:
    return state.url if state.source is None else None


@field("GitRepository.head")
async def head(session: ClientSession, state: GitRepository, _: Args) -> GitRef:
    return await resolve(session, state, "HEAD")


@field("GitRepository.branch", args=("name",))
async def branch(session: ClientSession, state: GitRepository, args: Args) -> GitRef:
    return await resolve(session, state, HEADS + args["name"].removeprefix(HEADS))


@field("GitRepository.tag", args=("name",))
async def tag(session: ClientSession, state: GitRepository, args: Args) -> GitRef:
    return await resolve(session, state, TAGS + args["name"].removeprefix(TAGS))


@field("GitRepository.commit", args=("id",))
def commit(_: ClientSession, state: GitRepository, args: Args) -> GitRef:
    if not COMMIT.fullmatch(args["id"]):
        raise InvalidInput(f"git: {args['id']!r} is not a full commit id (40 hex digits)")
    return GitRef(state, args["id"], args["id"])


@field("GitRepository.ref", args=("name",))
async def ref(session: ClientSession, state: GitRepository, args: Args) -> GitRef:
    name = args["name"]
    if COMMIT.fullmatch(name):
        return GitRef(state, name, name)
    return await resolve(session, state, name, HEADS + name, TAGS + name)


@field("GitRepository.branches", args=("patterns",))
async def branches(session: ClientSession, state: GitRepository, args: Args) -> list[str]:
    return _matching(await session.git_refs(state), HEADS, args.get("patterns"))


@field("GitRepository.tags", args=("patterns",))
async def tags(session: ClientSession, state: GitRepository, args: Args) -> list[str]:
    return _matching(await session.git_refs(state), TAGS, args.get("patterns"))


@field("GitRepository.latestVersion")
async def latest(session: ClientSession, state: GitRepository, _: Args) -> GitRef:
    names = _matching(await session.git_refs(state), TAGS, None)
    return await resolve(session, state, TAGS + latest_version(names))


def _matching(refs: dict[str, str], prefix: str, patterns: list[str] | None) -> list[str]:
    names = sorted(name.removeprefix(prefix) for name in refs if name.startswith(prefix))
    return [name for name in names if not patterns or any(fnmatch.fnmatchcase(name, pattern) for pattern in patterns)]


@field("GitRef.commit")
def ref_commit(_: ClientSession, state: GitRef, __: Args) -> str:
    return state.commit


@field("GitRef.ref")
def ref_name(_: ClientSession, state: GitRef, __: Args) -> str:
    return state.name


@field("GitRef.tree", args=("discardGitDir", "depth"))
def tree(_: ClientSession, state: GitRef, args: Args) -> DirectoryState:
    return DirectoryState(TreeOp(state, discard_git_dir=bool(args["discardGitDir"]), depth=args["depth"]))


@field("Query.address", args=("value",))
def address(_: ClientSession, __: None, args: Args) -> str:
    return str(args["value"])


@field("Address.value")
def address_value(_: ClientSession, state: str, __: Args) -> str:
    return state


@field("Address.container")
async def address_container(session: ClientSession, state: str, _: Args) -> ContainerState:
    return await container_from(session, ContainerState(session.platform), state)


@field("Address.secret")
def address_secret(session: ClientSession, state: str, _: Args) -> SecretState:
    return secret_from_uri(session.workdir, state, None)


@field("Address.gitRepository")
def address_repository(_: ClientSession, state: str, __: Args) -> GitRepository:
    return open_repository(state.partition("#")[0])


@field("Address.gitRef")
async def address_ref(session: ClientSession, state: str, args: Args) -> GitRef:
    where, _, name = state.partition("#")
    return await ref(session, open_repository(where), {**args, "name": name}) if name else await head(session, open_repository(where), args)


@field("Address.directory", args=("exclude", "include", "gitignore", "noCache"))
async def address_directory(session: ClientSession, state: str, args: Args) -> DirectoryState:
    from pipelines.engine.embedded.api.fields.host import directory

    return await directory(session, "host", {**args, "path": _local(state)})


@field("Address.file", args=("noCache",))
async def address_file(session: ClientSession, state: str, args: Args) -> FileState:
    from pipelines.engine.embedded.api.fields.host import file

    return await file(session, "host", {**args, "path": _local(state)})


@field("Address.socket")
def address_socket(session: ClientSession, state: str, _: Args) -> SocketState:
    return SocketState(session.host_path(state.removeprefix("unix://")))


def _local(state: str) -> str:
    """A host path, given as such or as file://."""
    if "://" in state and not state.startswith("file://"):
        raise InvalidInput(f"address {state!r}: only paths of this machine; git trees: use git(url).ref(name).tree()")
    return str(Path(state.removeprefix("file://")))
