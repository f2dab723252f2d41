"""From a plan to ops: every instruction becomes an operation, so cache, laziness and parallel stages come from there."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from pipelines.engine.embedded.dockerfile.building import ignore
from pipelines.engine.embedded.dockerfile.building.apply import apply_step
from pipelines.engine.embedded.dockerfile.building.interface import StageState
from pipelines.engine.embedded.dockerfile.instructions.origins import BuildContext, ImageRef, Scratch, StageRef
from pipelines.engine.embedded.dockerfile.plan import stages
from pipelines.engine.embedded.dockerfile.plan.order import references
from pipelines.engine.embedded.errors import InvalidInput, NotFound
from pipelines.engine.embedded.ops.files import read
from pipelines.engine.embedded.ops.files.actions import ActionOp
from pipelines.engine.embedded.ops.files.copies import CopyDirectory
from pipelines.engine.embedded.ops.images import container_from
from pipelines.engine.embedded.ops.values.config import Config, get
from pipelines.engine.embedded.ops.values.op import SCRATCH_OP
from pipelines.engine.embedded.ops.values.states import ContainerState, DirectoryState, inside

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pipelines.engine.embedded.dockerfile.instructions.origins import Origin
    from pipelines.engine.embedded.dockerfile.plan.plan import BuildPlan, BuildStage
    from pipelines.engine.embedded.ops.interface import ClientSession
    from pipelines.engine.embedded.ops.values.states import SecretState

LARGEST = 4 << 20  # bytes of a Dockerfile; more is a mistake
PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


@dataclass(slots=True)
class ImageBuild:
    """One build of one target: stages are done in an order in which each finds what it reads from."""

    session: ClientSession
    plan: BuildPlan
    context: DirectoryState
    secrets: Mapping[str, SecretState]
    init: bool = True
    done: dict[int, StageState] = field(default_factory=dict)
    images: dict[str, ContainerState] = field(default_factory=dict)

    async def run(self) -> ContainerState:
        """Do all stages that the target needs; the target's container."""
        for index in self.plan.needed:
            await self._ready(index)
        return self.done[self.plan.target].state

    async def _ready(self, index: int) -> None:
        """Build a stage, unless it is built: the stages that a trigger reads from are not known earlier."""
        if index not in self.done:
            self.done[index] = await self._stage(self.plan.stages[index])

    async def _stage(self, stage: BuildStage) -> StageState:
        built = await self._base(stage)
        triggers = stages.trigger_steps(self.plan, stage, built.state.config.onbuild)
        for reference in (reference for step in triggers for reference in references(step)):
            await self._ready(reference.index)
        built = replace(built, state=replace(built.state, config=replace(built.state.config, onbuild=())), cmd_set=False)
        for step in (*triggers, *stage.steps):
            await asyncio.sleep(0)  # a long file must not hold up other requests
            built = await apply_step(self, built, step)
        return built

    async def _base(self, stage: BuildStage) -> StageState:
        match stage.base:
            case StageRef(index):
                return self.done[index]
            case ImageRef(ref):
                return _begun(await self.image(ref, stage.platform or self.plan.platform))
            case Scratch():
                return _begun(ContainerState(self.plan.platform, config=Config(workdir="/")))

    async def image(self, ref: str, platform: str) -> ContainerState:
        """An image named in the file, resolved once a build."""
        key = f"{ref} {platform}"
        if key not in self.images:
            self.images[key] = await container_from(self.session, ContainerState(platform), ref)
        return self.images[key]

    async def origin(self, origin: Origin) -> DirectoryState:
        """The directory that COPY or a bind mount reads from."""
        match origin:
            case BuildContext():
                return self.context
            case StageRef(index):
                return DirectoryState(self.done[index].state.rootfs)
            case ImageRef(ref):
                return DirectoryState((await self.image(ref, self.plan.platform)).rootfs)
            case Scratch():
                return DirectoryState()


def _begun(state: ContainerState) -> StageState:
    """A stage at its start: it always has a PATH, as BuildKit gives it one."""
    config = state.config
    if get(config.env, "PATH") is None:
        config = config.with_env("PATH", PATH)
    return StageState(replace(state, config=config), dict(config.env))


async def build(
    session: ClientSession,
    context: DirectoryState,
    *,
    dockerfile: str = "Dockerfile",
    target: str = "",
    build_args: Mapping[str, str] | None = None,
    secrets: Mapping[str, SecretState] | None = None,
    platform: str = "",
    init: bool = True,
) -> ContainerState:
    """The container a Dockerfile describes; nothing runs yet.

    Args:
        session: the session.
        context: the build context, which holds the Dockerfile too.
        dockerfile: its path in the context.
        target: stage to build, by default the last.
        build_args: values for ARGs.
        secrets: by id, for RUN --mount=type=secret.
        platform: what to build for, by default this machine's.
        init: RUN commands get an init process.
    """
    text = await _text(session, context, dockerfile)
    if text is None:
        raise InvalidInput(f"failed to read dockerfile: open {dockerfile}: no such file or directory")
    plan = await asyncio.to_thread(
        stages.plan, text, target=target, build_args=build_args, platform=platform or session.platform, file=dockerfile
    )
    seen = await _without_ignored(session, context, dockerfile)
    return await ImageBuild(session, plan, seen, secrets or {}, init).run()


async def _without_ignored(session: ClientSession, context: DirectoryState, dockerfile: str) -> DirectoryState:
    """The context without what the first ignore file that exists excludes."""
    for candidate in ignore.candidates(dockerfile):
        text = await _text(session, context, candidate)
        if text is None:
            continue
        patterns = ignore.patterns(text)
        if not patterns:
            return context
        return DirectoryState(ActionOp(SCRATCH_OP, CopyDirectory("/", context.op, context.path, exclude=patterns)))
    return context


async def _text(session: ClientSession, context: DirectoryState, path: str) -> str | None:
    try:
        data = await read.contents(session, context.op, inside(context.path, path), limit=LARGEST)
    except NotFound:
        return None
    return data.decode(errors="replace")
