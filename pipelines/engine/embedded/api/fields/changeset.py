"""Changeset: the changes between two directories, read, applied, exported."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from pipelines.engine.embedded.api.registry import field
from pipelines.engine.embedded.ops.files import changeset
from pipelines.engine.embedded.ops.files.actions import ActionOp
from pipelines.engine.embedded.ops.files.changeset import ApplyChanges, Changeset
from pipelines.engine.embedded.ops.files.export import export_changes
from pipelines.engine.embedded.ops.files.patch import NAME, ApplyPatch, ApplyPatchFile, PatchOp
from pipelines.engine.embedded.ops.values.states import DirectoryState, FileState

if TYPE_CHECKING:
    from pipelines.engine.embedded.ops.interface import ClientSession

Args = dict[str, Any]


@field("Query.changeset")
def nothing(_: ClientSession, __: None, ___: Args) -> Changeset:
    return Changeset(DirectoryState(), DirectoryState())


@field("Directory.changes", args=("from",))
def changes(_: ClientSession, state: DirectoryState, args: Args) -> Changeset:
    return Changeset(args["from"], state)


@field("Directory.withChanges", args=("changes",))
def with_changes(_: ClientSession, state: DirectoryState, args: Args) -> DirectoryState:
    return replace(state, op=ActionOp(state.op, ApplyChanges(state.path, args["changes"])))


@field("Directory.withPatch", args=("patch",))
def with_patch(_: ClientSession, state: DirectoryState, args: Args) -> DirectoryState:
    return replace(state, op=ActionOp(state.op, ApplyPatch(state.path, args["patch"].encode())))


@field("Directory.withPatchFile", args=("patch",))
def with_patch_file(_: ClientSession, state: DirectoryState, args: Args) -> DirectoryState:
    patch: FileState = args["patch"]
    return replace(state, op=ActionOp(state.op, ApplyPatchFile(state.path, patch.op, patch.path)))


@field("Changeset.before")
def before(_: ClientSession, state: Changeset, __: Args) -> DirectoryState:
    return state.before


@field("Changeset.after")
def after(_: ClientSession, state: Changeset, __: Args) -> DirectoryState:
    return state.after


@field("Changeset.layer")
def layer(_: ClientSession, state: Changeset, __: Args) -> DirectoryState:
    return state.layer()


@field("Changeset.asPatch")
def as_patch(_: ClientSession, state: Changeset, __: Args) -> FileState:
    return FileState(PatchOp(state), f"/{NAME}")


@field("Changeset.addedPaths")
async def added_paths(session: ClientSession, state: Changeset, _: Args) -> list[str]:
    return (await changeset.paths(session, state)).added


@field("Changeset.modifiedPaths")
async def modified_paths(session: ClientSession, state: Changeset, _: Args) -> list[str]:
    return (await changeset.paths(session, state)).modified


@field("Changeset.removedPaths")
async def removed_paths(session: ClientSession, state: Changeset, _: Args) -> list[str]:
    return (await changeset.paths(session, state)).removed


@field("Changeset.isEmpty")
async def is_empty(session: ClientSession, state: Changeset, _: Args) -> bool:
    return not (await changeset.paths(session, state)).any()


@field("Changeset.sync")
async def sync(session: ClientSession, state: Changeset, _: Args) -> None:
    """Evaluates both directories; the changeset's own id is the answer."""
    await changeset.paths(session, state)


@field("Changeset.export", args=("path",))
async def export(session: ClientSession, state: Changeset, args: Args) -> str:
    return await export_changes(session, state, args["path"])
