"""One instruction at a time: what it does to the container that is built."""

from __future__ import annotations

from dataclasses import replace
from functools import singledispatch
from typing import TYPE_CHECKING

from pipelines.engine.embedded.dockerfile.building.copy import CopySources, LinkedTree
from pipelines.engine.embedded.dockerfile.building.run import run
from pipelines.engine.embedded.dockerfile.instructions import config as do
from pipelines.engine.embedded.dockerfile.instructions.copy import CopyInstruction
from pipelines.engine.embedded.dockerfile.instructions.run import RunInstruction
from pipelines.engine.embedded.ops.files.actions import ActionOp
from pipelines.engine.embedded.ops.files.edits import MakeDirectory
from pipelines.engine.embedded.ops.values import config as pairs
from pipelines.engine.embedded.ops.values.config import Config, ExposedPort
from pipelines.engine.embedded.ops.values.op import SCRATCH_OP

if TYPE_CHECKING:
    from pipelines.engine.embedded.dockerfile.building.interface import BuildInProgress, StageState
    from pipelines.engine.embedded.dockerfile.instructions.base import StageInstruction
    from pipelines.engine.embedded.ops.values.states import ContainerState


async def apply_step(build: BuildInProgress, built: StageState, step: StageInstruction) -> StageState:  # noqa: PLR0911 - one for each kind of instruction
    """The stage after `step`."""
    expanded = build.plan.expand(step, built.variables)
    match expanded:
        case RunInstruction():
            return replace(built, state=await run(build, built, expanded))
        case CopyInstruction():
            return replace(built, state=await _copy(build, built.state, expanded))
        case do.ArgInstruction():
            return replace(built, variables={**built.variables, **build.plan.arguments(expanded, built.variables)})
        case do.EnvInstruction():
            config = built.state.config
            for name, value in expanded.pairs:
                config = config.with_env(name, value)
            return replace(built.configured(config), variables={**built.variables, **dict(expanded.pairs)})
        case do.WorkdirInstruction():
            return replace(built, state=_workdir(built.state, expanded))
        case do.EntrypointInstruction():
            return built.configured(_entrypoint(built, expanded))
        case do.CmdInstruction():
            return replace(built.configured(_cmd(built.state.config, expanded)), cmd_set=True)
        case _:
            return built.configured(configured_by(expanded, built.state.config))


async def _copy(build: BuildInProgress, state: ContainerState, step: CopyInstruction) -> ContainerState:
    origin = await build.origin(step.origin)
    action = CopySources(
        origin.op,
        origin.path,
        step.sources(),
        step.destination(state.config.workdir or "/"),
        step.inline,
        step.chown,
        step.chmod,
        step.exclude,
        step.unpack,
        step.text,
    )
    if not step.linked:
        return replace(state, rootfs=ActionOp(state.rootfs, action))
    return replace(state, rootfs=ActionOp(state.rootfs, LinkedTree(ActionOp(SCRATCH_OP, action))))


def _workdir(state: ContainerState, step: do.WorkdirInstruction) -> ContainerState:
    path = step.resolve(state.config.workdir)
    config = replace(state.config, workdir=path)
    return replace(state, config=config, rootfs=ActionOp(state.rootfs, MakeDirectory(path, 0o755, state.config.user)))


def _entrypoint(built: StageState, step: do.EntrypointInstruction) -> Config:
    config = built.state.config
    argv = step.command.argv(config.shell or ())
    return replace(config, entrypoint=argv or None, cmd=config.cmd if built.cmd_set else None)


def _cmd(config: Config, step: do.CmdInstruction) -> Config:
    return replace(config, cmd=step.command.argv(config.shell or ()))


@singledispatch
def configured_by(step: StageInstruction, config: Config) -> Config:  # noqa: ARG001 - the registered ones use it
    """The configuration after an instruction that changes nothing else."""
    raise TypeError(f"no rule for {type(step).__name__}")


@configured_by.register
def _label(step: do.LabelInstruction, config: Config) -> Config:
    labels = config.labels
    for name, value in step.pairs:
        labels = pairs.put(labels, name, value)
    return replace(config, labels=labels)


@configured_by.register
def _user(step: do.UserInstruction, config: Config) -> Config:
    return replace(config, user=step.user)


@configured_by.register
def _expose(step: do.ExposeInstruction, config: Config) -> Config:
    known = {port.key for port in config.ports}
    added = [ExposedPort(int(text.partition("/")[0]), text.partition("/")[2].upper()) for text in step.ports if text not in known]
    return replace(config, ports=(*config.ports, *added))


@configured_by.register
def _shell(step: do.ShellInstruction, config: Config) -> Config:
    return replace(config, shell=step.argv)


@configured_by.register
def _healthcheck(step: do.HealthcheckInstruction, config: Config) -> Config:
    items = ((key, tuple(value) if isinstance(value, list) else value) for key, value in step.config().items())
    return replace(config, healthcheck=tuple(items))


@configured_by.register
def _stop_signal(step: do.StopSignalInstruction, config: Config) -> Config:
    return replace(config, stop_signal=step.signal)


@configured_by.register
def _volume(step: do.VolumeInstruction, config: Config) -> Config:
    return replace(config, volumes=(*config.volumes, *(path for path in step.paths if path not in config.volumes)))


@configured_by.register
def _on_build(step: do.OnBuildInstruction, config: Config) -> Config:
    return replace(config, onbuild=(*config.onbuild, step.trigger))


@configured_by.register
def _maintainer(step: do.MaintainerInstruction, config: Config) -> Config:
    return replace(config, labels=pairs.put(config.labels, "maintainer", step.name))
