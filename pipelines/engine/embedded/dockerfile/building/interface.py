"""What applying one instruction sees of the build: the stage so far, and where files come from."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pipelines.engine.embedded.dockerfile.instructions.origins import Origin
    from pipelines.engine.embedded.dockerfile.plan.plan import BuildPlan
    from pipelines.engine.embedded.ops.interface import ClientSession
    from pipelines.engine.embedded.ops.values.config import Config
    from pipelines.engine.embedded.ops.values.states import ContainerState, DirectoryState, SecretState


@dataclass(frozen=True, slots=True)
class StageState:
    """A stage so far. `variables` replace `$name` in what follows; `cmd_set`: the stage has a CMD of its own."""

    state: ContainerState
    variables: Mapping[str, str]
    cmd_set: bool = False

    def configured(self, config: Config) -> StageState:
        """The stage with another configuration."""
        return replace(self, state=replace(self.state, config=config))


class BuildInProgress(Protocol):
    """One build of one target.

    Attributes:
        session: the session it is for.
        plan: what is built.
        secrets: by id, for RUN --mount=type=secret.
        init: RUN commands get an init process.
    """

    session: ClientSession
    plan: BuildPlan
    secrets: Mapping[str, SecretState]
    init: bool

    async def origin(self, origin: Origin) -> DirectoryState:
        """The directory that COPY or a bind mount reads from."""
