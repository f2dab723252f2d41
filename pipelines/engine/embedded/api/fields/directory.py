"""Directory: trees of files, made, changed, compared, read and exported."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from pipelines.engine.embedded.api.registry import field
from pipelines.engine.embedded.ops.files import read
from pipelines.engine.embedded.ops.files.actions import ActionOp
from pipelines.engine.embedded.ops.files.copies import copy_directory, copy_file
from pipelines.engine.embedded.ops.files.diff import DiffOp
from pipelines.engine.embedded.ops.files.edits import Chown, MakeDirectory, MakeSymlink, Remove, Timestamps, WriteFile
from pipelines.engine.embedded.ops.files.export import export_directory
from pipelines.engine.embedded.ops.values.op import SCRATCH_OP
from pipelines.engine.embedded.ops.values.states import DirectoryState, FileState, inside

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pipelines.engine.embedded.ops.files.actions import Action
    from pipelines.engine.embedded.ops.interface import ClientSession

Args = dict[str, Any]
API_DEFAULT = 0o644  # what the API gives for a new directory; it means FOLDER_MODE
FOLDER_MODE = 0o755


def changed(state: DirectoryState, *actions: Action) -> DirectoryState:
    """The directory after `actions`."""
    op = state.op
    for action in actions:
        op = ActionOp(op, action)
    return replace(state, op=op)


@field("Directory.withNewFile", args=("path", "contents", "permissions"))
def with_new_file(_: ClientSession, state: DirectoryState, args: Args) -> DirectoryState:
    return changed(state, WriteFile(inside(state.path, args["path"]), args["contents"].encode(), args["permissions"]))


@field("Directory.withNewDirectory", args=("path", "permissions"))
def with_new_directory(_: ClientSession, state: DirectoryState, args: Args) -> DirectoryState:
    mode = FOLDER_MODE if args["permissions"] == API_DEFAULT else args["permissions"]
    return changed(state, MakeDirectory(inside(state.path, args["path"]), mode))


@field("Directory.withDirectory", args=("path", "source", "exclude", "include", "gitignore", "owner", "permissions"))
def with_directory(_: ClientSession, state: DirectoryState, args: Args) -> DirectoryState:
    return changed(state, copy_directory(args["source"], inside(state.path, args["path"]), args, owner=args.get("owner") or ""))


@field("Directory.withFile", args=("path", "source", "permissions", "owner"))
def with_file(_: ClientSession, state: DirectoryState, args: Args) -> DirectoryState:
    target = inside(state.path, args["path"])
    return changed(state, copy_file(args["source"], target, args["path"], args["permissions"], args.get("owner") or ""))


@field("Directory.withFiles", args=("path", "sources", "permissions"))
def with_files(_: ClientSession, state: DirectoryState, args: Args) -> DirectoryState:
    sources: Sequence[FileState] = args["sources"]
    target = inside(state.path, args["path"])
    return changed(state, *(copy_file(source, target, "/", args["permissions"], "") for source in sources))


@field("Directory.withSymlink", args=("target", "linkName"))
def with_symlink(_: ClientSession, state: DirectoryState, args: Args) -> DirectoryState:
    return changed(state, MakeSymlink(inside(state.path, args["linkName"]), args["target"]))


@field("Directory.withTimestamps", args=("timestamp",))
def with_timestamps(_: ClientSession, state: DirectoryState, args: Args) -> DirectoryState:
    return changed(state, Timestamps(state.path, args["timestamp"]))


@field("Directory.chown", args=("path", "owner"))
def chown(_: ClientSession, state: DirectoryState, args: Args) -> DirectoryState:
    return changed(state, Chown(inside(state.path, args["path"]), args["owner"]))


@field("Directory.withoutFile", args=("path",))
@field("Directory.withoutDirectory", args=("path",))
def without_path(_: ClientSession, state: DirectoryState, args: Args) -> DirectoryState:
    return changed(state, Remove(inside(state.path, args["path"])))


@field("Directory.withoutFiles", args=("paths",))
def without_files(_: ClientSession, state: DirectoryState, args: Args) -> DirectoryState:
    return changed(state, *(Remove(inside(state.path, path)) for path in args["paths"]))


@field("Directory.directory", args=("path",))
def directory(_: ClientSession, state: DirectoryState, args: Args) -> DirectoryState:
    return replace(state, path=inside(state.path, args["path"]))


@field("Directory.file", args=("path",))
def file(_: ClientSession, state: DirectoryState, args: Args) -> FileState:
    return FileState(state.op, inside(state.path, args["path"]))


@field("Directory.diff", args=("other",))
def diff(_: ClientSession, state: DirectoryState, args: Args) -> DirectoryState:
    return DirectoryState(DiffOp(state, args["other"]))


@field("Directory.filter", args=("exclude", "include", "gitignore"))
def filter_(_: ClientSession, state: DirectoryState, args: Args) -> DirectoryState:
    return DirectoryState(ActionOp(SCRATCH_OP, copy_directory(state, "/", args, owner="")))


@field("Directory.entries", args=("path",))
async def entries(session: ClientSession, state: DirectoryState, args: Args) -> list[str]:
    path = args["path"] or "."
    return await read.entries(session, state.op, inside(state.path, path), state.path if path == "." else path)


@field("Directory.glob", args=("pattern",))
async def glob(session: ClientSession, state: DirectoryState, args: Args) -> list[str]:
    return await read.glob(session, state.op, state.path, args["pattern"])


@field("Directory.digest")
async def digest(session: ClientSession, state: DirectoryState, _: Args) -> str:
    snapshot = (await session.ops.output(state.op)).snapshot
    return f"sha256:{await session.content_digest(snapshot, state.path)}"


@field("Directory.name")
def name(_: ClientSession, state: DirectoryState, __: Args) -> str:
    return state.path.rsplit("/", 1)[-1] + "/"


@field("Directory.exists", args=("path", "expectedType", "doNotFollowSymlinks"))
async def exists(session: ClientSession, state: DirectoryState, args: Args) -> bool:
    path = inside(state.path, args["path"])
    return await read.exists(session, state.op, path, args["expectedType"], follow=not args["doNotFollowSymlinks"])


@field("Directory.stat", args=("path", "doNotFollowSymlinks"))
async def stat(session: ClientSession, state: DirectoryState, args: Args) -> read.Stat | None:
    path = inside(state.path, args["path"])
    return await read.stat(session, state.op, path, args["path"], follow=not args["doNotFollowSymlinks"])


@field("Directory.findUp", args=("name", "start"))
async def find_up(session: ClientSession, state: DirectoryState, args: Args) -> str | None:
    return await read.find_up(session, state.op, state.path, args["name"], args["start"])


@field("Directory.sync")
async def sync(session: ClientSession, state: DirectoryState, _: Args) -> None:
    await read.entries(session, state.op, state.path, state.path)


@field("Directory.export", args=("path", "wipe"))
async def export(session: ClientSession, state: DirectoryState, args: Args) -> str:
    return await export_directory(session, state, args["path"], wipe=args["wipe"])
