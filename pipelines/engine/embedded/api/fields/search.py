"""Search in directories and files, and text replaced in a file."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from pipelines.engine.embedded.api.registry import field
from pipelines.engine.embedded.ops import read
from pipelines.engine.embedded.ops.actions import ActionOp
from pipelines.engine.embedded.ops.replace import ReplaceText
from pipelines.engine.embedded.ops.search import Found, Match, Query, in_file, search

if TYPE_CHECKING:
    from pipelines.engine.embedded.ops.session import Session
    from pipelines.engine.embedded.ops.states import DirectoryState, FileState

Args = dict[str, Any]
HOW = ("pattern", "literal", "multiline", "dotall", "insensitive", "skipHidden", "filesOnly", "limit", "globs", "paths")


@field("Directory.search", args=HOW)
async def in_directory(session: Session, state: DirectoryState, args: Args) -> list[Found]:
    query = Query.of(args)
    return await read.within(session, state.op, lambda root: search(root, state.path, args["paths"], query))


@field("File.search", args=HOW)
async def in_one_file(session: Session, state: FileState, args: Args) -> list[Found]:
    query = Query.of(args)
    shown = state.path.rsplit("/", 1)[-1]
    return await read.within(session, state.op, lambda root: in_file(root, state.path, shown, query)[: query.limit])


@field("File.withReplaced", args=("search", "replacement", "all", "firstFrom"))
def with_replaced(_: Session, state: FileState, args: Args) -> FileState:
    action = ReplaceText(state.path, args["search"], args["replacement"], bool(args["all"]), args["firstFrom"])
    return replace(state, op=ActionOp(state.op, action))


@field("SearchResult.filePath")
def file_path(_: Session, state: Found, __: Args) -> str:
    return state.path


@field("SearchResult.lineNumber")
def line_number(_: Session, state: Found, __: Args) -> int:
    return state.line


@field("SearchResult.absoluteOffset")
def absolute_offset(_: Session, state: Found, __: Args) -> int:
    return state.offset


@field("SearchResult.matchedLines")
def matched_lines(_: Session, state: Found, __: Args) -> str:
    return state.lines


@field("SearchResult.submatches")
def submatches(_: Session, state: Found, __: Args) -> list[Match]:
    return list(state.matches)


@field("SearchSubmatch.text")
def text(_: Session, state: Match, __: Args) -> str:
    return state.text


@field("SearchSubmatch.start")
def start(_: Session, state: Match, __: Args) -> int:
    return state.start


@field("SearchSubmatch.end")
def end(_: Session, state: Match, __: Args) -> int:
    return state.end
