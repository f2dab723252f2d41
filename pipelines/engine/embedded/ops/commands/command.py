"""What a container runs: the arguments after entrypoint, defaults and expansion, and everything else that shapes one execution."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from pipelines.engine.embedded.errors import InvalidInput
from pipelines.engine.embedded.ops.commands.expand import expand
from pipelines.engine.embedded.ops.values.op import MountOf, Op
from pipelines.engine.embedded.ops.values.states import (
    Binding,
    CacheMount,
    DirectoryMount,
    DirectoryState,
    FileState,
    Mount,
    SecretMount,
    SecretState,
    SocketMount,
    TempMount,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from pipelines.engine.embedded.ops.values.config import Pairs
    from pipelines.engine.embedded.ops.values.states import ContainerState


@dataclass(frozen=True, slots=True)
class ContainerCommand:
    """All that shapes one execution: the same command on the same inputs is taken to give the same result.

    `expect` is SUCCESS, FAILURE or ANY. `volatile` is environment that takes no part in the key.
    """

    args: tuple[str, ...]
    env: Pairs
    cwd: str
    user: str
    mounts: tuple[Mount, ...]
    secret_env: tuple[tuple[str, SecretState], ...] = ()
    volatile: Pairs = ()
    bindings: tuple[Binding, ...] = ()
    stdin: str = ""
    redirect_stdin: str = ""
    redirect_stdout: str = ""
    redirect_stderr: str = ""
    expect: str = "SUCCESS"
    privileged: bool = False
    init: bool = True
    platform: str = ""
    network: bool = True

    def recipe(self) -> list[Any]:
        """All that shapes the outcome but the inputs' content; no secret's value, nothing volatile."""
        return [
            self.args,
            self.env,
            self.cwd,
            self.user,
            [_mount_recipe(mount) for mount in self.mounts],
            [[name, secret.identity] for name, secret in self.secret_env],
            [[binding.alias, binding.service.digest] for binding in self.bindings],
            [self.stdin, self.redirect_stdin, self.redirect_stdout, self.redirect_stderr],
            [self.expect, self.privileged, self.init, self.platform, self.network],
        ]

    def sources(self) -> list[Op]:
        """The file systems behind the mounts, in order of `mounts`; only of mounts that have one."""
        return [source.op for mount in self.mounts if (source := source_of(mount)) is not None]

    def shown(self) -> str:
        """The command line, for logs and messages."""
        return " ".join(self.args)


def source_of(mount: Mount) -> DirectoryState | FileState | None:
    """Where a mount's content comes from."""
    match mount:
        case DirectoryMount():
            return mount.source
        case CacheMount():
            return mount.cache.source
        case _:
            return None


def _mount_recipe(mount: Mount) -> list[Any]:
    match mount:
        case DirectoryMount():
            return ["directory", mount.target, mount.source.path, isinstance(mount.source, FileState), mount.readonly, mount.owner]
        case CacheMount():
            source = mount.cache.source
            cache = [mount.cache.key, mount.cache.sharing, mount.cache.owner, source.path if source else None]
            return ["cache", mount.target, *cache, mount.readonly]
        case TempMount():
            return ["temp", mount.target, mount.size, mount.readonly]
        case SecretMount():
            return ["secret", mount.target, mount.secret.identity, mount.owner, mount.mode]
        case SocketMount():
            return ["socket", mount.target]


def command_of(state: ContainerState, args: dict[str, Any]) -> ContainerCommand:
    """The command of a `withExec` (or of a service) on `state`.

    Raises:
        InvalidInput: no arguments, neither given nor as the image's default.
    """
    words = list(args.get("args") or state.config.cmd or ())
    if args.get("useEntrypoint") and state.config.entrypoint:
        words = [*state.config.entrypoint, *words]
    if not words:
        raise InvalidInput("no command has been set")
    resolve: Callable[[str], str] = (lambda text: expand(text, state.config.env)) if args.get("expand") else str
    redirects = {name: _redirect(state, resolve, args.get(name)) for name in ("redirectStdin", "redirectStdout", "redirectStderr")}
    return ContainerCommand(
        args=tuple(resolve(word) for word in words),
        env=state.config.env,
        cwd=state.config.workdir or "/",
        user=state.config.user,
        mounts=state.mounts,
        secret_env=state.secret_env,
        volatile=state.volatile,
        bindings=state.bindings,
        stdin=args.get("stdin") or "",
        redirect_stdin=redirects["redirectStdin"],
        redirect_stdout=redirects["redirectStdout"],
        redirect_stderr=redirects["redirectStderr"],
        expect=args.get("expect") or "SUCCESS",
        privileged=bool(args.get("insecureRootCapabilities")),
        init=not args.get("noInit"),
        platform=state.platform,
    )


def _redirect(state: ContainerState, resolve: Callable[[str], str], path: str | None) -> str:
    return state.absolute(resolve(path)) if path else ""


def after(state: ContainerState, execution: Op) -> ContainerState:
    """The container as `execution` leaves it: root and writable mounts replaced by what they became."""
    mounts: list[Mount] = []
    index = 0
    for mount in state.mounts:
        if isinstance(mount, DirectoryMount) and not mount.readonly:
            source: DirectoryState | FileState = replace(mount.source, op=MountOf(execution, index))
            mounts.append(replace(mount, source=source, owner=""))
            index += 1
        else:
            mounts.append(mount)
    return replace(state, rootfs=execution, mounts=tuple(mounts), last=execution)
