"""EnvFile: variables from files, and their way into containers."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from pipelines.engine.embedded.api.envfile import EnvFile
from pipelines.engine.embedded.api.fields.file import LARGEST
from pipelines.engine.embedded.api.registry import field
from pipelines.engine.embedded.ops.files import read
from pipelines.engine.embedded.ops.files.actions import ActionOp
from pipelines.engine.embedded.ops.files.edits import WriteFile
from pipelines.engine.embedded.ops.values.config import get as value_of
from pipelines.engine.embedded.ops.values.op import SCRATCH_OP
from pipelines.engine.embedded.ops.values.states import FileState

if TYPE_CHECKING:
    from pipelines.engine.embedded.ops.interface import ClientSession
    from pipelines.engine.embedded.ops.values.states import ContainerState

Args = dict[str, Any]
PATH = "/.env"


@field("Query.envFile")
def env_file(_: ClientSession, __: None, ___: Args) -> EnvFile:
    return EnvFile()


@field("File.asEnvFile")
async def as_env_file(session: ClientSession, state: FileState, _: Args) -> EnvFile:
    return EnvFile.parse((await read.contents(session, state.op, state.path, limit=LARGEST)).decode(errors="replace"))


@field("Container.withEnvFileVariables", args=("source",))
def with_env_file_variables(_: ClientSession, state: ContainerState, args: Args) -> ContainerState:
    config = state.config
    for name, value in args["source"].variables():
        config = config.with_env(name, value)
    return replace(state, config=config)


@field("EnvFile.withVariable", args=("name", "value"))
def with_variable(_: ClientSession, state: EnvFile, args: Args) -> EnvFile:
    return state.put(args["name"], args["value"])


@field("EnvFile.withoutVariable", args=("name",))
def without_variable(_: ClientSession, state: EnvFile, args: Args) -> EnvFile:
    return state.without(args["name"])


@field("EnvFile.namespace", args=("prefix",))
def namespace(_: ClientSession, state: EnvFile, args: Args) -> EnvFile:
    return state.namespace(args["prefix"])


@field("EnvFile.variables", args=("raw",))
def variables(_: ClientSession, state: EnvFile, args: Args) -> list[tuple[str, str]]:
    return list(state.raw if args["raw"] else state.variables())


@field("EnvFile.get", args=("name", "raw"))
def get(_: ClientSession, state: EnvFile, args: Args) -> str:
    return (value_of(state.raw, args["name"]) or "") if args["raw"] else state.value(args["name"])


@field("EnvFile.exists", args=("name",))
def exists(_: ClientSession, state: EnvFile, args: Args) -> bool:
    return value_of(state.raw, args["name"]) is not None


@field("EnvFile.asFile")
def as_file(_: ClientSession, state: EnvFile, __: Args) -> FileState:
    return FileState(ActionOp(SCRATCH_OP, WriteFile(PATH, state.text().encode())), PATH)
