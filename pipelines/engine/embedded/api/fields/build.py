"""Directory.dockerBuild."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pipelines.engine.embedded.api.registry import field

if TYPE_CHECKING:
    from pipelines.engine.embedded.ops.interface import ClientSession
    from pipelines.engine.embedded.ops.values.states import ContainerState, DirectoryState


@field("Directory.dockerBuild", args=("dockerfile", "platform", "buildArgs", "target", "secrets", "noInit"))
async def docker_build(session: ClientSession, state: DirectoryState, args: dict[str, Any]) -> ContainerState:
    from pipelines.engine.embedded.dockerfile.building.build import build  # a quarter of all there is to import

    return await build(
        session,
        state,
        dockerfile=args["dockerfile"],
        target=args["target"],
        build_args={pair["name"]: pair["value"] for pair in args["buildArgs"]},
        secrets={secret.name: secret for secret in args["secrets"]},
        platform=args["platform"] or "",
        init=not args["noInit"],
    )
