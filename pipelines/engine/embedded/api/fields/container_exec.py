"""Container: commands, what they said, and images: from, build, import."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from pipelines.engine.embedded.api.registry import field
from pipelines.engine.embedded.api.streamed import FileText
from pipelines.engine.embedded.errors import InvalidInput
from pipelines.engine.embedded.ops.commands.command import after, command_of
from pipelines.engine.embedded.ops.commands.exec import ExecOp
from pipelines.engine.embedded.ops.commands.permit import permit_api
from pipelines.engine.embedded.ops.images import container_from, imported
from pipelines.foundation.regular_files import read_bytes

if TYPE_CHECKING:
    from pipelines.engine.embedded.ops.interface import ClientSession
    from pipelines.engine.embedded.ops.values.op import OpOutput
    from pipelines.engine.embedded.ops.values.states import ContainerState

Args = dict[str, Any]
SMALL = 64 * 1024  # bytes read at once; longer text is streamed
EXEC = (
    "args",
    "useEntrypoint",
    "stdin",
    "redirectStdin",
    "redirectStdout",
    "redirectStderr",
    "expect",
    "insecureRootCapabilities",
    "expand",
    "noInit",
)


@field("Container.from", args=("address",))
async def from_(session: ClientSession, state: ContainerState, args: Args) -> ContainerState:
    return await container_from(session, state, args["address"])


@field("Container.import", args=("source", "tag"))
async def import_(session: ClientSession, state: ContainerState, args: Args) -> ContainerState:
    return await imported(session, state, args["source"], args["tag"])


@field("Container.withExec", args=EXEC)
def with_exec(session: ClientSession, state: ContainerState, args: Args) -> ContainerState:
    if args.get("insecureRootCapabilities"):
        permit_api(session.limits, "Container.withExec")
    return after(state, ExecOp(state.rootfs, command_of(state, args)))


async def said(session: ClientSession, state: ContainerState) -> OpOutput:
    """The last command's output."""
    if state.last is None:
        raise InvalidInput("no command has been set")
    return await session.ops.output(state.last)


async def output_text(session: ClientSession, state: ContainerState, name: str) -> str | FileText:
    """A stream of the last command, as text; a long one stays in its file until it is sent."""
    output = await said(session, state)
    path = session.store.output_path(dict(output.streams)[name])
    if path.stat().st_size <= SMALL:
        return read_bytes(path).decode(errors="replace")
    return FileText(path)


@field("Container.stdout")
async def stdout(session: ClientSession, state: ContainerState, _: Args) -> str | FileText:
    return await output_text(session, state, "stdout")


@field("Container.stderr")
async def stderr(session: ClientSession, state: ContainerState, _: Args) -> str | FileText:
    return await output_text(session, state, "stderr")


@field("Container.combinedOutput")
async def combined_output(session: ClientSession, state: ContainerState, _: Args) -> str | FileText:
    return await output_text(session, state, "combined")


@field("Container.exitCode")
async def exit_code(session: ClientSession, state: ContainerState, _: Args) -> int:
    return (await said(session, state)).exit_code


@field("Container.sync")
async def sync(session: ClientSession, state: ContainerState, _: Args) -> None:
    """Evaluates the root file system and every mount; the container's own id is the answer."""
    await session.evaluate(state)


@field("Container.withRootfs", args=("directory",))
def with_rootfs(_: ClientSession, state: ContainerState, args: Args) -> ContainerState:
    from pipelines.engine.embedded.ops.files.copies import as_root

    return replace(state, rootfs=as_root(args["directory"]))
