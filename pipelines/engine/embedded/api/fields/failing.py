"""withError: a chain that fails when it is asked for anything."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pipelines.engine.embedded.api.registry import field
from pipelines.engine.embedded.errors import EngineError

if TYPE_CHECKING:
    from pipelines.engine.embedded.ops.interface import ClientSession
    from pipelines.engine.embedded.ops.values.states import ContainerState, DirectoryState


@field("Container.withError", args=("err",))
@field("Directory.withError", args=("err",))
def with_error(_: ClientSession, state: ContainerState | DirectoryState, args: dict[str, Any]) -> ContainerState | DirectoryState:
    if args["err"]:
        raise EngineError(args["err"])
    return state
