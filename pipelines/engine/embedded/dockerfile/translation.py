"""One instruction at a time: what it does to the container that is built."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import singledispatch
from typing import TYPE_CHECKING

from pipelines.engine.embedded.dockerfile import instructions as do
from pipelines.engine.embedded.dockerfile.copy_action import CopySources, Overlay
from pipelines.engine.embedded.dockerfile.copying import Copy
from pipelines.engine.embedded.dockerfile.run import Run
from pipelines.engine.embedded.dockerfile.run_step import run
from pipelines.engine.embedded.ops.files.actions import ActionOp
from pipelines.engine.embedded.ops.files.edits import MakeDirectory
from pipelines.engine.embedded.ops.values import config as pairs
from pipelines.engine.embedded.ops.values.config import Config, Port
from pipelines.engine.embedded.ops.values.op import SCRATCH_OP

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pipelines.engine.embedded.dockerfile.build import Build
    from pipelines.engine.embedded.dockerfile.steps import Step
    from pipelines.engine.embedded.ops.values.states import ContainerState


@dataclass(frozen=True, slots=True)
class Built:
    """A stage so far. `variables` are what words are expanded with; `cmd_set`: the stage has a CMD of its own."""

    state: ContainerState
    variables: Mapping[str, str]
    cmd_set: bool = False

    def configured(self, config: Config) -> Built:
        return replace(self, state=replace(self.state, config=config))


async def apply_step(build: Build, built: Built, step: Step) -> Built:  # noqa: PLR0911 - one for each kind of instruction
    """The stage after `step`."""
    expanded = build.plan.expand(step, built.variables)
    match expanded:
        case Run():
            return replace(built, state=await run(build, built, expanded))
        case Copy():
            return replace(built, state=await _copy(build, built.state, expanded))
        case do.Arg():
            return replace(built, variables={**built.variables, **build.plan.arguments(expanded, built.variables)})
        case do.Env():
            config = built.state.config
            for name, value in expanded.pairs:
                config = config.with_env(name, value)
            return replace(built.configured(config), variables={**built.variables, **dict(expanded.pairs)})
        case do.Workdir():
            return replace(built, state=_workdir(built.state, expanded))
        case do.Entrypoint():
            return built.configured(_entrypoint(built, expanded))
        case do.Cmd():
            return replace(built.configured(_cmd(built.state.config, expanded)), cmd_set=True)
        case _:
            return built.configured(settle(expanded, built.state.config))


async def _copy(build: Build, state: ContainerState, step: Copy) -> ContainerState:
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
    return replace(state, rootfs=ActionOp(state.rootfs, Overlay(ActionOp(SCRATCH_OP, action))))


def _workdir(state: ContainerState, step: do.Workdir) -> ContainerState:
    path = step.resolve(state.config.workdir)
    config = replace(state.config, workdir=path)
    return replace(state, config=config, rootfs=ActionOp(state.rootfs, MakeDirectory(path, 0o755, state.config.user)))


def _entrypoint(built: Built, step: do.Entrypoint) -> Config:
    config = built.state.config
    argv = step.command.argv(config.shell or ())
    return replace(config, entrypoint=argv or None, cmd=config.cmd if built.cmd_set else None)


def _cmd(config: Config, step: do.Cmd) -> Config:
    return replace(config, cmd=step.command.argv(config.shell or ()))


@singledispatch
def settle(step: Step, config: Config) -> Config:  # noqa: ARG001 - the registered ones use it
    """The configuration after an instruction that changes nothing else."""
    raise TypeError(f"no rule for {type(step).__name__}")


@settle.register
def _label(step: do.Label, config: Config) -> Config:
    labels = config.labels
    for name, value in step.pairs:
        labels = pairs.put(labels, name, value)
    return replace(config, labels=labels)


@settle.register
def _user(step: do.User, config: Config) -> Config:
    return replace(config, user=step.user)


@settle.register
def _expose(step: do.Expose, config: Config) -> Config:
    known = {port.key for port in config.ports}
    added = [Port(int(text.partition("/")[0]), text.partition("/")[2].upper()) for text in step.ports if text not in known]
    return replace(config, ports=(*config.ports, *added))


@settle.register
def _shell(step: do.Shell, config: Config) -> Config:
    return replace(config, shell=step.argv)


@settle.register
def _healthcheck(step: do.Healthcheck, config: Config) -> Config:
    items = ((key, tuple(value) if isinstance(value, list) else value) for key, value in step.config().items())
    return replace(config, healthcheck=tuple(items))


@settle.register
def _stop_signal(step: do.StopSignal, config: Config) -> Config:
    return replace(config, stop_signal=step.signal)


@settle.register
def _volume(step: do.Volume, config: Config) -> Config:
    return replace(config, volumes=(*config.volumes, *(path for path in step.paths if path not in config.volumes)))


@settle.register
def _on_build(step: do.OnBuild, config: Config) -> Config:
    return replace(config, onbuild=(*config.onbuild, step.trigger))


@settle.register
def _maintainer(step: do.Maintainer, config: Config) -> Config:
    return replace(config, labels=pairs.put(config.labels, "maintainer", step.name))
