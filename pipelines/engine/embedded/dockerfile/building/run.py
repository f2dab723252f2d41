"""RUN as an execution: its command, environment and mounts."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from pipelines.engine.embedded.dockerfile.errors import DockerfileError, Fault
from pipelines.engine.embedded.errors import InvalidInput
from pipelines.engine.embedded.ops.commands.command import ContainerCommand
from pipelines.engine.embedded.ops.commands.exec import ExecOp
from pipelines.engine.embedded.ops.commands.permit import permit_dockerfile
from pipelines.engine.embedded.ops.files.actions import ActionOp
from pipelines.engine.embedded.ops.files.edits import MakeDirectory, WriteFile
from pipelines.engine.embedded.ops.values.digest import digest_of
from pipelines.engine.embedded.ops.values.op import SCRATCH_OP
from pipelines.engine.embedded.ops.values.states import (
    CacheMount,
    CacheState,
    ContainerState,
    DirectoryMount,
    DirectoryState,
    FileState,
    SecretMount,
    SecretState,
    TempMount,
    inside,
)

if TYPE_CHECKING:
    from pipelines.engine.embedded.dockerfile.building.interface import BuildInProgress, StageState
    from pipelines.engine.embedded.dockerfile.instructions.mounts import RunMount
    from pipelines.engine.embedded.dockerfile.instructions.run import RunInstruction, Script
    from pipelines.engine.embedded.ops.values.states import Mount as EngineMount

SECRET_MODE = 0o400
DEFAULT_CACHE_MODE = 0o755


@dataclass(slots=True)
class Mounts:
    """What the `--mount` flags of one RUN come to."""

    mounts: list[EngineMount]
    secret_env: list[tuple[str, SecretState]]


async def run(build: BuildInProgress, built: StageState, step: RunInstruction) -> ContainerState:
    """The container after the command; mounts leave nothing behind."""
    state = built.state
    if step.insecure:
        permit_dockerfile(build.session.limits, step.line)
    invocation = step.invocation(state.config.shell or ())
    mounts = Mounts([], [])
    for mount in step.mounts:
        try:
            await _mount(build, state, mount, mounts)
        except Fault as fault:
            raise DockerfileError(str(fault), line=step.line, file=build.plan.file, parsing=False) from None
    if invocation.script:
        mounts.mounts.append(_script(invocation.script))
    command = ContainerCommand(
        args=invocation.argv,
        env=_environment(built),
        cwd=state.config.workdir or "/",
        user=state.config.user,
        mounts=tuple(mounts.mounts),
        secret_env=tuple(mounts.secret_env),
        volatile=tuple(build.plan.proxies().items()),
        privileged=step.insecure,
        init=build.init,
        platform=state.platform,
        network=step.network != "none",
    )
    return replace(state, rootfs=ExecOp(state.rootfs, command))


def _environment(built: StageState) -> tuple[tuple[str, str], ...]:
    """The image's variables, then the build arguments; of one name the value seen last counts."""
    image = dict(built.state.config.env)
    return tuple((image | dict(built.variables)).items())


def _script(script: Script) -> DirectoryMount:
    file = FileState(ActionOp(SCRATCH_OP, WriteFile("/script", script.content.encode(), 0o755)), "/script")
    return DirectoryMount(script.path, file, readonly=True)


async def _mount(build: BuildInProgress, state: ContainerState, mount: RunMount, out: Mounts) -> None:
    target = state.absolute(mount.target)
    if target == "/" and mount.type != "secret":
        raise Fault('invalid mount target "/"')
    match mount.type:
        case "bind":
            origin = await build.origin(mount.origin)
            source = replace(origin, path=inside(origin.path, mount.source.lstrip("/")))
            out.mounts.append(DirectoryMount(target, source, readonly=mount.readonly))
        case "cache":
            out.mounts.append(CacheMount(target, await _cache(build, mount), mount.readonly))
        case "tmpfs":
            out.mounts.append(TempMount(target, mount.size or None, mount.readonly))
        case _:
            _secret(build, state, mount, out)


async def _cache(build: BuildInProgress, mount: RunMount) -> CacheState:
    """A cache volume. Its first content is part of its name: mounts with the same id and another first content use another volume."""
    origin = await build.origin(mount.origin)
    seed = replace(origin, path=inside(origin.path, mount.source.lstrip("/")))
    if mount.owned:
        mode = DEFAULT_CACHE_MODE if mount.mode is None else mount.mode & 0o777
        made = MakeDirectory("/cache", mode, f"{mount.uid or 0}:{mount.gid or 0}")
        seed = DirectoryState(ActionOp(seed.op, made), "/cache")
    if seed == DirectoryState():
        return CacheState(mount.cache_id, None, mount.sharing.upper())
    return CacheState(f"{mount.cache_id}:{digest_of(seed.op.digest, seed.path)}", seed, mount.sharing.upper())


def _secret(build: BuildInProgress, state: ContainerState, mount: RunMount, out: Mounts) -> None:
    secret = build.secrets.get(mount.secret_id)
    if secret is None:
        if mount.required:
            raise InvalidInput(f"secret {mount.secret_id}: not found")
        return
    if mount.env is not None:
        out.secret_env.append((mount.env, secret))
    if mount.secret_target:
        owner = f"{mount.uid or 0}:{mount.gid or 0}"
        mode = mount.mode if mount.mode is not None else SECRET_MODE
        out.mounts.append(SecretMount(state.absolute(mount.secret_target), secret, owner, mode))
