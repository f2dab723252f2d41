"""What ops and resolvers see of the session they work for, and the ops that are worked out with its help."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, Protocol

from pipelines.engine.embedded.ops.values.op import Op

if TYPE_CHECKING:
    from collections.abc import Sequence
    from contextlib import AbstractAsyncContextManager, AsyncExitStack
    from pathlib import Path

    from pipelines.engine.embedded.images.images import Images
    from pipelines.engine.embedded.network.switch import Lease, Switch
    from pipelines.engine.embedded.ops.values.config import ExposedPort
    from pipelines.engine.embedded.ops.values.op import OpOutput
    from pipelines.engine.embedded.ops.values.repository import GitRepository
    from pipelines.engine.embedded.ops.values.states import Binding, CacheState, ContainerState, SecretState, ServiceState
    from pipelines.engine.embedded.progress import EngineProgress
    from pipelines.engine.embedded.sandbox.runtime import Runtime
    from pipelines.engine.embedded.sandbox.services.runner import RunningService
    from pipelines.engine.embedded.store.host.listing import Listing
    from pipelines.engine.embedded.store.snapshot import Snapshot
    from pipelines.engine.embedded.store.store import Store
    from pipelines.model import EngineSpec


class OpOutputs(Protocol):
    """Works ops out, each once a session."""

    async def output(self, op: Op) -> OpOutput:
        """What `op` gives."""

    async def outputs(self, ops: Sequence[Op]) -> list[OpOutput]:
        """What several ops give, in their order, worked out at the same time; the first failure cancels the rest."""

    def remembered(self, op: Op) -> OpOutput | None:
        """The output, when this session has it already."""

    async def stored(self, digest: str) -> OpOutput | None:
        """The output, when the store has it under this digest or key."""


class BoundServices(NamedTuple):
    """The services that a container can reach.

    Attributes:
        hosts: IP addresses by host name.
        used: the running services by alias.
    """

    hosts: dict[str, str]
    used: dict[str, RunningService]


class ServiceControl(Protocol):
    """Starts, shares and stops the services of a session."""

    async def bind(self, bindings: Sequence[Binding], stack: AsyncExitStack) -> BoundServices:
        """Start what a container is bound to; each stays at least until `stack` ends."""

    async def start(self, state: ServiceState) -> None:
        """Start it, to stay until `stop` or the session's end."""

    async def stop(self, state: ServiceState, *, kill: bool) -> None:
        """Stop it, also when it is in use."""

    async def hold(self, state: ServiceState) -> None:
        """Keep it running until this call is cancelled."""

    async def ports(self, state: ServiceState) -> list[ExposedPort]:
        """What it listens on, as its users see it."""


class WorkRecord(Protocol):
    """Notes what the work of a session depended on."""

    def folder(self, snapshot: str, listing: Listing) -> None:
        """A folder of the host was read: it is `snapshot` now."""

    def done(self, op: Op) -> None:
        """An op was worked out for the step whose request is being answered."""


class ClientSession(Protocol):
    """One client's session, from its first request to its last.

    Attributes:
        store: file systems and results, shared with other sessions.
        runtime: runs containers.
        switch: the session's network.
        progress: where work is reported.
        workdir: the client's working directory, which its relative paths start from.
        platform: of this machine.
        rootless: the engine runs as an ordinary user.
        work_inputs: notes what the work depended on, where that is asked for.
        limits: what containers may do.
        ops: works ops out.
        services: starts and stops services.
        images: pulls, publishes and saves images.
    """

    store: Store
    runtime: Runtime
    switch: Switch
    progress: EngineProgress
    workdir: Path
    platform: str
    rootless: bool
    limits: EngineSpec
    images: Images

    @property
    def work_inputs(self) -> WorkRecord | None:
        """The record of what the work depended on; None where nobody asked for it."""

    @property
    def ops(self) -> OpOutputs:
        """Works ops out."""

    @property
    def services(self) -> ServiceControl:
        """Starts and stops services."""

    async def git_refs(self, repository: GitRepository) -> dict[str, str]:
        """Commits by full ref name, asked for once a session."""

    def host_path(self, path: str) -> Path:
        """A path of the host as the client means it, absolute."""

    async def secret_value(self, secret: SecretState) -> bytes:
        """A secret's value, read once a session."""

    async def content(
        self,
        snapshot: Snapshot,
        path: str,
        *,
        include: Sequence[str] = (),
        exclude: Sequence[str] = (),
        gitignore: bool = False,
    ) -> str:
        """Digest of what is at `path`; a whole file system counts by its id."""

    async def content_digest(
        self,
        snapshot: Snapshot,
        path: str,
        *,
        include: Sequence[str] = (),
        exclude: Sequence[str] = (),
        gitignore: bool = False,
    ) -> str:
        """Digest of what is at `path`, by content."""

    async def evaluate(self, state: ContainerState) -> None:
        """Work out a container's root file system and what is mounted into it."""

    def leased(self) -> AbstractAsyncContextManager[Lease]:
        """An address on the session's network, for one container."""

    def volume(self, cache: CacheState, seed: tuple[Snapshot, str] | None) -> AbstractAsyncContextManager[Path]:
        """A cache volume's directory, held as its sharing mode says; a new one begins with what is at the path of `seed`."""


class ComputedOp(Op):
    """An op that is worked out by `run`, at most once for its `key`.

    `key` names the work by what went in (the inputs' content, not their recipes), so that an input that was made again with
    the same content does not make its users run again. `inputs` are worked out, at the same time, before `key` is asked for.
    """

    __slots__ = ()

    async def key(self, session: ClientSession, inputs: Sequence[OpOutput]) -> str:
        """The content key (hexadecimal), given the inputs' outputs."""
        raise NotImplementedError

    async def run(self, session: ClientSession, inputs: Sequence[OpOutput], key: str) -> OpOutput:
        """Do the work. Called by one process at a time for a key."""
        raise NotImplementedError
