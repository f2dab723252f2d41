"""File, Stat, and what the host gives: directories, files, sockets."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from pipelines.engine.embedded.api.registry import field
from pipelines.engine.embedded.errors import InvalidInput
from pipelines.engine.embedded.ops.files import read
from pipelines.engine.embedded.ops.files.actions import ActionOp
from pipelines.engine.embedded.ops.files.copies import copy_file
from pipelines.engine.embedded.ops.files.edits import Chown, Timestamps
from pipelines.engine.embedded.ops.files.export import export_file
from pipelines.engine.embedded.ops.values.op import SCRATCH_OP
from pipelines.engine.embedded.ops.values.states import FileState

if TYPE_CHECKING:
    from pipelines.engine.embedded.ops.interface import ClientSession

Args = dict[str, Any]
LARGEST = 128 << 20  # bytes of a file answered as text; more belongs into an export


@field("File.contents", args=("offsetLines", "limitLines"))
async def contents(session: ClientSession, state: FileState, args: Args) -> str:
    data = await read.contents(session, state.op, state.path, limit=LARGEST)
    text = data.decode(errors="replace")
    offset, limit = args.get("offsetLines") or 0, args.get("limitLines")
    if not offset and limit is None:
        return text
    lines = text.splitlines(keepends=True)[offset:]
    return "".join(lines if limit is None else lines[:limit])


@field("File.size")
async def size(session: ClientSession, state: FileState, _: Args) -> int:
    return (await read.must_stat(session, state.op, state.path, state.path)).size


@field("File.name")
def name(_: ClientSession, state: FileState, __: Args) -> str:
    return state.path.rsplit("/", 1)[-1]


@field("File.digest", args=("excludeMetadata",))
async def digest(session: ClientSession, state: FileState, args: Args) -> str:
    return f"sha256:{await read.file_digest(session, state.op, state.path, metadata=not args['excludeMetadata'])}"


@field("File.sync")
async def sync(session: ClientSession, state: FileState, _: Args) -> None:
    await read.must_stat(session, state.op, state.path, state.path)


@field("File.stat")
async def stat(session: ClientSession, state: FileState, _: Args) -> read.Stat:
    return await read.must_stat(session, state.op, state.path, state.path)


@field("File.withName", args=("name",))
def with_name(_: ClientSession, state: FileState, args: Args) -> FileState:
    if "/" in args["name"] or args["name"] in {"", ".", ".."}:
        raise InvalidInput(f"file name {args['name']!r} must not be a path")
    path = f"/{args['name']}"
    return FileState(ActionOp(SCRATCH_OP, copy_file(state, path, path, None, "")), path)


@field("File.withTimestamps", args=("timestamp",))
def with_timestamps(_: ClientSession, state: FileState, args: Args) -> FileState:
    return replace(state, op=ActionOp(state.op, Timestamps(state.path, args["timestamp"])))


@field("File.chown", args=("owner",))
def chown(_: ClientSession, state: FileState, args: Args) -> FileState:
    return replace(state, op=ActionOp(state.op, Chown(state.path, args["owner"])))


@field("File.export", args=("path", "allowParentDirPath"))
async def export(session: ClientSession, state: FileState, args: Args) -> str:
    return await export_file(session, state, args["path"], into=bool(args["allowParentDirPath"]))


@field("Stat.name")
def stat_name(_: ClientSession, state: read.Stat, __: Args) -> str:
    return state.name


@field("Stat.size")
def stat_size(_: ClientSession, state: read.Stat, __: Args) -> int:
    return state.size


@field("Stat.permissions")
def stat_permissions(_: ClientSession, state: read.Stat, __: Args) -> int:
    return state.permissions


@field("Stat.fileType")
def stat_file_type(_: ClientSession, state: read.Stat, __: Args) -> str:
    return state.file_type
