"""Container: out into the world: registry, tarball, host."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pipelines.engine.embedded.api.registry import field
from pipelines.engine.embedded.ops.publish import TarballOp, publish_container
from pipelines.engine.embedded.ops.values.states import FileState

if TYPE_CHECKING:
    from pipelines.engine.embedded.ops.interface import ClientSession
    from pipelines.engine.embedded.ops.values.states import ContainerState

Args = dict[str, Any]
FORMAT = ("platformVariants", "forcedCompression", "mediaTypes")


def variants(state: ContainerState, args: Args) -> list[ContainerState]:
    """The containers an image is made of: the given variants, with this one when it holds anything."""
    from pipelines.engine.embedded.ops.values.op import SCRATCH_OP

    given: list[ContainerState] = args["platformVariants"]
    return given if given and state.rootfs is SCRATCH_OP else [state, *given]


@field("Container.publish", args=("address", *FORMAT))
async def publish(session: ClientSession, state: ContainerState, args: Args) -> str:
    return await publish_container(session, variants(state, args), args["address"], args["forcedCompression"], args["mediaTypes"])


@field("Container.asTarball", args=FORMAT)
def as_tarball(_: ClientSession, state: ContainerState, args: Args) -> FileState:
    return FileState(TarballOp(variants(state, args), args["forcedCompression"], args["mediaTypes"]), "/container.tar")


@field("Container.export", args=("path", "expand", *FORMAT))
async def export(session: ClientSession, state: ContainerState, args: Args) -> str:
    from pipelines.engine.embedded.ops.commands.expand import expand
    from pipelines.engine.embedded.ops.files.export import export_file

    path = expand(args["path"], state.config.env) if args["expand"] else args["path"]
    return await export_file(session, as_tarball(session, state, args), path, into=False)
