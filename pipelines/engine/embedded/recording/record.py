"""Recording: the test's side. Give rules, run the pipeline, look at what it did."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipelines.engine.embedded.errors import ExecError, NotFound
from pipelines.engine.embedded.images import platforms
from pipelines.engine.embedded.ops.commands.exec import ExecOp, expected
from pipelines.engine.embedded.ops.values.digest import digest_of
from pipelines.engine.embedded.ops.values.op import MountOf, Op
from pipelines.engine.embedded.ops.values.states import CacheMount, SecretMount
from pipelines.engine.embedded.recording.rules import ExecRule, RecordingRules, image_config
from pipelines.engine.embedded.recording.trees import HostOp, NamedOp, Tree, grown
from pipelines.model import EngineSpec, Insecure

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pipelines.engine.embedded.ops.values.states import ContainerState, SecretState


@dataclass(frozen=True, slots=True)
class RecordedExec:
    """A command the pipeline ran.

    Attributes:
        args: the command line.
        image: what the container began with: an image reference, or `build of …`.
        env: environment, without secrets.
        secrets: names of secrets, by variable or path.
        workdir, user: as configured.
        caches: names of cache volumes, by path.
        services: aliases it could reach.
        exit_code: as the rule had it.
    """

    args: tuple[str, ...]
    image: str
    env: dict[str, str] = field(default_factory=dict)
    secrets: dict[str, str] = field(default_factory=dict)
    workdir: str = "/"
    user: str = ""
    caches: dict[str, str] = field(default_factory=dict)
    services: tuple[str, ...] = ()
    exit_code: int = 0

    def __str__(self) -> str:
        return f"{self.image}: {' '.join(self.args)}"


@dataclass(frozen=True, slots=True)
class RecordedImage:
    """An image the pipeline pushed: its address, the reference that the pipeline got, and its platforms."""

    address: str
    ref: str
    platforms: tuple[str, ...]


@dataclass(slots=True)
class Recording:
    """One recorded session.

    Attributes:
        execs: commands in the order they would have run, each once (an engine caches).
        published: images pushed.
        exported: host paths that would have been written.
    """

    execs: list[RecordedExec] = field(default_factory=list)
    published: list[RecordedImage] = field(default_factory=list)
    exported: list[str] = field(default_factory=list)
    rules: RecordingRules = field(default_factory=RecordingRules)
    workdir: Path = field(default_factory=Path.cwd)
    _done: dict[str, ExecRule] = field(default_factory=dict)
    _trees: dict[str, Tree] = field(default_factory=dict)

    def exec(self, *command: str) -> ExecRule:
        """A rule for commands that begin with `command` (wildcards allowed): `recording.exec("pytest").exits(1)`."""
        rule = ExecRule(command)
        self.rules.execs.append(rule)
        return rule

    def image(self, ref: str, **settings: Any) -> None:
        """An image's configuration: env, user, workdir, entrypoint, cmd, labels."""
        self.rules.images[ref] = image_config(settings)

    def no_image(self, ref: str) -> None:
        """An image the registry does not have."""
        self.rules.missing.add(ref)

    def file(self, path: str, contents: str) -> None:
        """A file every container and directory has at this absolute path, where nothing else says what is there."""
        self.rules.files[path] = contents

    def answer(self, field_name: str, value: Any) -> None:
        """The answer to a leaf the recording cannot know, such as `Directory.digest`."""
        self.rules.answers[field_name] = value

    def ran(self, *command: str) -> list[RecordedExec]:
        """The commands that begin with `command`."""
        rule = ExecRule(command)
        return [one for one in self.execs if rule.matches(one.args)]

    def plan(self) -> str:
        """What would have run, one line a command: for golden files."""
        return "".join(f"{one}\n" for one in self.execs)

    @property
    def limits(self) -> EngineSpec:
        """What containers may do: nothing runs here, so everything."""
        return EngineSpec(insecure=Insecure.ALL)

    @property
    def platform(self) -> str:
        """This machine's."""
        return str(platforms.host())

    def host_path(self, path: str) -> Path:
        """A path of the host as the client means it."""
        return (self.workdir / Path(path).expanduser()).absolute()

    async def secret_value(self, secret: SecretState) -> bytes:
        """A secret's value; one that cannot be read has its name."""
        try:
            return secret.read()
        except NotFound:
            return secret.name.encode()

    def record_commands(self, *ops: Op) -> None:
        """Record the commands that `ops` need, inputs first.

        Raises:
            ExecError: a rule makes one of them end otherwise than it should.
        """
        pending: list[tuple[Op, bool]] = [(op, False) for op in reversed(ops)]
        seen: set[str] = set()
        while pending:
            op, ready = pending.pop()
            if ready and isinstance(op, ExecOp) and op.digest not in self._done:
                self._run(op)
            elif not ready and op.digest not in seen:
                seen.add(op.digest)
                pending.append((op, True))
                pending += [(one, False) for one in reversed(op.inputs)]

    def outcome(self, state: ContainerState) -> ExecRule | None:
        """How the container's last command ended, after recording what it needs; None when it had none."""
        if state.last is None:
            return None
        self.record_commands(state.last)
        return self._done[state.last.digest]

    def _run(self, op: ExecOp) -> None:
        command = op.command
        rule = self.rules.for_command(command.args)
        secrets = {name: secret.name for name, secret in command.secret_env}
        secrets |= {mount.target: mount.secret.name for mount in command.mounts if isinstance(mount, SecretMount)}
        self.execs.append(
            RecordedExec(
                command.args,
                _origin(op),
                dict(command.env),
                secrets,
                command.cwd,
                command.user,
                {mount.target: mount.cache.key for mount in command.mounts if isinstance(mount, CacheMount)},
                tuple(binding.alias for binding in command.bindings),
                rule.code,
            )
        )
        for binding in command.bindings:
            if binding.service.container is not None:
                self.record_commands(binding.service.container.rootfs)
        if not expected(command.expect, rule.code):
            raise ExecError(command.args, rule.code, rule.out.removesuffix("\n"), rule.err.removesuffix("\n"))
        self._done[op.digest] = rule

    def tree(self, op: Op) -> Tree:
        """What is known of a file system, after recording what makes it."""
        self.record_commands(op)
        return grown(op, self._trees, self._base)

    def _base(self, op: Op) -> Tree:
        match op:
            case HostOp():
                return op.tree()
            case ExecOp():
                written = {path: text.encode() for path, text in self._done[op.digest].written.items()}
                return {**self._given(), **self.tree(op.inputs[0]), **written}
            case MountOf():
                return {**self._given(), **self._mounted(op)}
            case NamedOp():
                return self._given()
            case _:
                return {}

    def _mounted(self, op: MountOf) -> Tree:
        from pipelines.engine.embedded.ops.values.states import DirectoryMount

        execution = op.inputs[0]
        assert isinstance(execution, ExecOp)  # noqa: S101 - MountOf is made of nothing else
        mounts = [one for one in execution.command.mounts if isinstance(one, DirectoryMount) and not one.readonly]
        mount = mounts[op.index]
        base = mount.target.rstrip("/")
        written = {
            mount.source.path.rstrip("/") + path[len(base) :]: text.encode()
            for path, text in self._done[execution.digest].written.items()
            if path.startswith(f"{base}/")
        }
        return {**self.tree(mount.source.op), **written}

    def _given(self) -> Tree:
        return {path: text.encode() for path, text in self.rules.files.items()}

    def publish(self, states: Sequence[ContainerState], address: str) -> str:
        """Record a push; the digest follows from the recipe."""
        self.record_commands(*(state.rootfs for state in states))
        digest = digest_of("published", [[state.rootfs.digest, state.config.to_oci(), state.platform] for state in states])
        ref = f"{address}@sha256:{digest}"
        self.published.append(RecordedImage(address, ref, tuple(state.platform for state in states)))
        return ref


def _origin(op: Op) -> str:
    """What a chain of commands and file operations began with."""
    while op.inputs and not isinstance(op, NamedOp):
        op = op.inputs[0]
    return op.describe() if isinstance(op, NamedOp) else "scratch"
