"""A Dockerfile translated to its end, without images or an engine: what its stage would be, and what its commands would run with."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, cast

from pipelines.engine.embedded.dockerfile.building.build import ImageBuild
from pipelines.engine.embedded.dockerfile.plan.stages import plan
from pipelines.engine.embedded.ops.commands.exec import ExecOp
from pipelines.engine.embedded.ops.values.config import Config
from pipelines.engine.embedded.ops.values.states import ContainerState, DirectoryState, SecretState
from pipelines.model import EngineSpec

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from pipelines.engine.embedded.ops.commands.command import ContainerCommand
    from pipelines.engine.embedded.ops.interface import ClientSession
    from pipelines.engine.embedded.ops.values.op import Op

IMAGES = {
    "busy": Config(env=(("PATH", "/bin"), ("B", "base")), workdir="/from/base", user="7", cmd=("sh",), labels=(("l", "base"),)),
    "bare": Config(),
    "reading": Config(onbuild=("COPY --from=one /x /y", "RUN --mount=from=two,target=/m z")),
    "triggering": Config(onbuild=("ARG T=t", "ENV ON=$T")),
}


class Limits:
    """A session, as far as a translation asks one."""

    limits = EngineSpec()


@dataclass(slots=True)
class Offline(ImageBuild):
    """A build whose images are those of `IMAGES`, empty."""

    fetched: list[str] = field(default_factory=list)

    async def image(self, ref: str, platform: str) -> ContainerState:
        self.fetched.append(ref)
        return ContainerState(platform, config=IMAGES.get(ref, Config(onbuild=("RUN x",) if ref == "onbuild" else ())))


async def offline(text: str, args: Mapping[str, str] | None = None, target: str = "") -> ContainerState:
    """What a Dockerfile gives."""
    found = plan(text, target=target, build_args=args)
    secrets = {"known": SecretState("known", "known", "", bytes)}
    return await Offline(cast("ClientSession", Limits()), found, DirectoryState(), secrets).run()


def translated(text: str, args: Mapping[str, str] | None = None, target: str = "") -> ContainerState:
    """The same, from outside an event loop."""
    return asyncio.run(offline(text, args, target))


def commands(op: Op) -> Iterator[ContainerCommand]:
    """The commands that a file system is made by, first one first."""
    if op.inputs:
        yield from commands(op.inputs[0])
    if isinstance(op, ExecOp):
        yield op.command


def config(text: str, args: Mapping[str, str] | None = None, target: str = "") -> dict[str, Any]:
    """The image's configuration as OCI has it, without the PATH that every stage has."""
    values = translated(text, args, target).config.to_oci()
    values["Env"] = [one for one in values.get("Env", ()) if not one.startswith("PATH=")]
    return {name: value for name, value in values.items() if value}


def last_run(text: str, args: Mapping[str, str] | None = None) -> ContainerCommand:
    """What the last RUN of a Dockerfile would start."""
    return list(commands(translated(text, args).rootfs))[-1]
