"""Container: files and directories in its root file system or, where a mount covers the path, in what is mounted."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from pipelines.engine.embedded.api.fields.container_mounts import path_of
from pipelines.engine.embedded.api.registry import field
from pipelines.engine.embedded.errors import InvalidInput
from pipelines.engine.embedded.ops.files import read
from pipelines.engine.embedded.ops.files.actions import ActionOp
from pipelines.engine.embedded.ops.files.copies import copy_directory, copy_file
from pipelines.engine.embedded.ops.files.edits import MakeSymlink, Remove, WriteFile
from pipelines.engine.embedded.ops.values.states import CacheMount, DirectoryMount, DirectoryState, FileState, inside

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pipelines.engine.embedded.ops.files.actions import Action
    from pipelines.engine.embedded.ops.interface import ClientSession
    from pipelines.engine.embedded.ops.values.op import Op
    from pipelines.engine.embedded.ops.values.states import ContainerState

Args = dict[str, Any]
COPY = ("path", "source", "exclude", "include", "gitignore", "owner", "expand", "permissions")


def place(state: ContainerState, path: str) -> tuple[Op, str]:
    """The file system that holds `path` (absolute) and the path in it.

    Raises:
        InvalidInput: a mount without content of its own (cache, tmpfs, secret, socket) covers the path.
    """
    mount = state.mount_at(path)
    if mount is None:
        return state.rootfs, path
    if isinstance(mount, CacheMount):
        raise InvalidInput(f"{path}: cannot retrieve path from cache")
    if not isinstance(mount, DirectoryMount):
        raise InvalidInput(f"{path}: cannot retrieve path from {type(mount).__name__.removesuffix('Mount').lower()}")
    return mount.source.op, inside(mount.source.path, path[len(mount.target.rstrip("/")) :].lstrip("/"))


def changed(state: ContainerState, path: str, *actions: Action) -> ContainerState:
    """The container after `actions`, whose paths are those `place` gives for `path`."""
    op, _ = place(state, path)
    for action in actions:
        op = ActionOp(op, action)
    mount = state.mount_at(path)
    if mount is None:
        return replace(state, rootfs=op)
    if not isinstance(mount, DirectoryMount):
        raise InvalidInput(f"{path}: cannot write into {type(mount).__name__}")
    mounts = [
        replace(one, source=replace(one.source, op=op)) if one is mount and isinstance(one, DirectoryMount) else one for one in state.mounts
    ]
    return replace(state, mounts=tuple(mounts))


@field("Container.withDirectory", args=COPY)
def with_directory(_: ClientSession, state: ContainerState, args: Args) -> ContainerState:
    path = path_of(state, args)
    copy = copy_directory(args["source"], place(state, path)[1], args, owner=args["owner"])
    return changed(state, path, copy)


@field("Container.withFile", args=("path", "source", "permissions", "owner", "expand"))
def with_file(_: ClientSession, state: ContainerState, args: Args) -> ContainerState:
    path = path_of(state, args)
    return changed(state, path, copy_file(args["source"], place(state, path)[1], args["path"], args["permissions"], args["owner"]))


@field("Container.withFiles", args=("path", "sources", "permissions", "owner", "expand"))
def with_files(_: ClientSession, state: ContainerState, args: Args) -> ContainerState:
    path = path_of(state, args)
    sources: Sequence[FileState] = args["sources"]
    target = place(state, path)[1]
    return changed(state, path, *(copy_file(source, target, "/", args["permissions"], args["owner"]) for source in sources))


@field("Container.withNewFile", args=("path", "contents", "permissions", "owner", "expand"))
def with_new_file(_: ClientSession, state: ContainerState, args: Args) -> ContainerState:
    path = path_of(state, args)
    action = WriteFile(place(state, path)[1], args["contents"].encode(), args["permissions"], args["owner"])
    return changed(state, path, action)


@field("Container.withSymlink", args=("target", "linkName", "expand"))
def with_symlink(_: ClientSession, state: ContainerState, args: Args) -> ContainerState:
    path = path_of(state, args, "linkName")
    return changed(state, path, MakeSymlink(place(state, path)[1], args["target"]))


@field("Container.withoutFile", args=("path", "expand"))
@field("Container.withoutDirectory", args=("path", "expand"))
def without_path(_: ClientSession, state: ContainerState, args: Args) -> ContainerState:
    path = path_of(state, args)
    return changed(state, path, Remove(place(state, path)[1]))


@field("Container.withoutFiles", args=("paths", "expand"))
def without_files(_: ClientSession, state: ContainerState, args: Args) -> ContainerState:
    for one in args["paths"]:
        path = path_of(state, {"path": one, "expand": args["expand"]})
        state = changed(state, path, Remove(place(state, path)[1]))
    return state


@field("Container.directory", args=("path", "expand"))
def directory(_: ClientSession, state: ContainerState, args: Args) -> DirectoryState:
    return DirectoryState(*place(state, path_of(state, args)))


@field("Container.file", args=("path", "expand"))
def file(_: ClientSession, state: ContainerState, args: Args) -> FileState:
    return FileState(*place(state, path_of(state, args)))


@field("Container.rootfs")
def rootfs(_: ClientSession, state: ContainerState, __: Args) -> DirectoryState:
    return DirectoryState(state.rootfs, "/")


@field("Container.exists", args=("path", "expectedType", "doNotFollowSymlinks", "expand"))
async def exists(session: ClientSession, state: ContainerState, args: Args) -> bool:
    op, path = place(state, path_of(state, args))
    return await read.exists(session, op, path, args["expectedType"], follow=not args["doNotFollowSymlinks"])


@field("Container.stat", args=("path", "doNotFollowSymlinks"))
async def stat(session: ClientSession, state: ContainerState, args: Args) -> read.Stat | None:
    op, path = place(state, path_of(state, args))
    return await read.stat(session, op, path, args["path"], follow=not args["doNotFollowSymlinks"])
