"""Search in directories and files, and text replaced in a file."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from pipelines.engine.embedded.api.registry import field
from pipelines.engine.embedded.ops.files import read
from pipelines.engine.embedded.ops.files.actions import ActionOp
from pipelines.engine.embedded.ops.files.replace import ReplaceText
from pipelines.engine.embedded.ops.files.search import SearchMatch, SearchQuery, SearchResult, in_file, search

if TYPE_CHECKING:
    from pipelines.engine.embedded.ops.interface import ClientSession
    from pipelines.engine.embedded.ops.values.states import DirectoryState, FileState

Args = dict[str, Any]
HOW = ("pattern", "literal", "multiline", "dotall", "insensitive", "skipHidden", "filesOnly", "limit", "globs", "paths")


@field("Directory.search", args=HOW)
async def in_directory(session: ClientSession, state: DirectoryState, args: Args) -> list[SearchResult]:
    query = SearchQuery.of(args)
    return await read.within(session, state.op, lambda root: search(root, state.path, args["paths"], query))


@field("File.search", args=HOW)
async def in_one_file(session: ClientSession, state: FileState, args: Args) -> list[SearchResult]:
    query = SearchQuery.of(args)
    shown = state.path.rsplit("/", 1)[-1]
    return await read.within(session, state.op, lambda root: in_file(root, state.path, shown, query)[: query.limit])


@field("File.withReplaced", args=("search", "replacement", "all", "firstFrom"))
def with_replaced(_: ClientSession, state: FileState, args: Args) -> FileState:
    action = ReplaceText(state.path, args["search"], args["replacement"], bool(args["all"]), args["firstFrom"])
    return replace(state, op=ActionOp(state.op, action))


@field("SearchResult.filePath")
def file_path(_: ClientSession, state: SearchResult, __: Args) -> str:
    return state.path


@field("SearchResult.lineNumber")
def line_number(_: ClientSession, state: SearchResult, __: Args) -> int:
    return state.line


@field("SearchResult.absoluteOffset")
def absolute_offset(_: ClientSession, state: SearchResult, __: Args) -> int:
    return state.offset


@field("SearchResult.matchedLines")
def matched_lines(_: ClientSession, state: SearchResult, __: Args) -> str:
    return state.lines


@field("SearchResult.submatches")
def submatches(_: ClientSession, state: SearchResult, __: Args) -> list[SearchMatch]:
    return list(state.matches)


@field("SearchSubmatch.text")
def text(_: ClientSession, state: SearchMatch, __: Args) -> str:
    return state.text


@field("SearchSubmatch.start")
def start(_: ClientSession, state: SearchMatch, __: Args) -> int:
    return state.start


@field("SearchSubmatch.end")
def end(_: ClientSession, state: SearchMatch, __: Args) -> int:
    return state.end
