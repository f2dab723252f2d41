"""A session: one client's view of the engine, from its first request to its last."""

from __future__ import annotations

import asyncio
import os
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from pipelines.engine.embedded.images import platforms
from pipelines.engine.embedded.images.images import Images
from pipelines.engine.embedded.ops.evaluate import OpEvaluator
from pipelines.engine.embedded.ops.secrets import SecretValues
from pipelines.engine.embedded.ops.services import Services
from pipelines.engine.embedded.ops.tasks import in_thread
from pipelines.engine.embedded.ops.values.digest import digest_of
from pipelines.engine.embedded.ops.values.states import CacheMount, DirectoryMount
from pipelines.foundation.durations import rounded_duration
from pipelines.foundation.single_flight import SingleFlight
from pipelines.foundation.sizes import show_size
from pipelines.model import EngineSpec

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping, Sequence

    from pipelines.engine.embedded.network.switch import Lease, Switch
    from pipelines.engine.embedded.ops.interface import ClientSession
    from pipelines.engine.embedded.ops.values.repository import GitRepository
    from pipelines.engine.embedded.ops.values.states import CacheState, ContainerState, SecretState
    from pipelines.engine.embedded.ops.work_inputs import WorkInputsWriter
    from pipelines.engine.embedded.progress import EngineProgress
    from pipelines.engine.embedded.sandbox.runtime import Runtime
    from pipelines.engine.embedded.store.snapshot import Snapshot
    from pipelines.engine.embedded.store.space.collect import CleanupReport
    from pipelines.engine.embedded.store.store import Store

STDERR = 2  # its file descriptor
SHOWN = 5  # evicted things named at the end of a session


@dataclass(slots=True)
class LocalSession:
    """What resolvers and ops share.

    Attributes:
        store: file systems and results, shared with other sessions.
        runtime: runs containers.
        switch: the session's network.
        progress: where work is reported.
        workdir: the client's working directory, which its relative paths start from.
        platform: of this machine.
        work_inputs: notes what the work depended on, where that is asked for.
        limits: what containers may do.
    """

    store: Store
    runtime: Runtime
    switch: Switch
    progress: EngineProgress
    workdir: Path
    platform: str
    rootless: bool = False
    work_inputs: WorkInputsWriter | None = None
    limits: EngineSpec = field(default_factory=EngineSpec)
    ops: OpEvaluator = field(init=False)
    services: Services = field(init=False)
    images: Images = field(init=False)
    _secrets: SecretValues = field(default_factory=SecretValues, repr=False)
    _contents: dict[str, str] = field(default_factory=dict)
    _refs: dict[str, dict[str, str]] = field(default_factory=dict)
    _digesting: SingleFlight[str] = field(default_factory=SingleFlight)
    _listing: SingleFlight[dict[str, str]] = field(default_factory=SingleFlight)

    def __post_init__(self) -> None:
        self.ops = OpEvaluator(self)
        self.services = Services(self)
        self.images = Images(self.store)

    async def git_refs(self, repository: GitRepository) -> dict[str, str]:
        """A repository's refs, asked for once a session."""
        from pipelines.engine.embedded.ops.git.refs import list_refs

        url = repository.url
        if url not in self._refs:
            asked = digest_of("refs", url, dict(repository.environment))  # with other credentials the answer may be another one
            self._refs[url] = await self._listing.do(asked, lambda: list_refs(self, repository))
        return self._refs[url]

    def host_path(self, path: str) -> Path:
        """A path of the host as the client means it."""
        return Path(os.path.normpath(self.workdir / Path(path).expanduser()))

    async def secret_value(self, secret: SecretState) -> bytes:
        """A secret's value, read once a session."""
        return await self._secrets.of(secret)

    async def content(
        self,
        snapshot: Snapshot,
        path: str,
        *,
        include: Sequence[str] = (),
        exclude: Sequence[str] = (),
        gitignore: bool = False,
    ) -> str:
        """Digest of what is at `path`, by content; a whole file system counts by its id, which says as much and costs nothing."""
        if path == "/" and not (include or exclude or gitignore):
            return snapshot.id
        return await self.content_digest(snapshot, path, include=include, exclude=exclude, gitignore=gitignore)

    async def content_digest(
        self,
        snapshot: Snapshot,
        path: str,
        *,
        include: Sequence[str] = (),
        exclude: Sequence[str] = (),
        gitignore: bool = False,
    ) -> str:
        """Digest of what is at `path`, by content; remembered here and in the store."""
        key = digest_of("content", snapshot.id, path, list(include), list(exclude), gitignore)
        if key not in self._contents:
            work = partial(self._digest, key, snapshot, path, include=include, exclude=exclude, gitignore=gitignore)
            self._contents[key] = await self._digesting.do(key, lambda: in_thread(work))
        return self._contents[key]

    def _digest(self, key: str, snapshot: Snapshot, path: str, *, include: Sequence[str], exclude: Sequence[str], gitignore: bool) -> str:
        """As the store has it under `key`, else worked out and recorded there. Blocks."""
        from pipelines.engine.embedded.store.trees.digests import digest_tree
        from pipelines.engine.embedded.store.trees.root import Root

        recorded = self.store.get(key)
        if recorded is None:
            hashes = self.store.file_hashes.of(snapshot)
            with self.store.view(snapshot) as view:
                digest = digest_tree(Root(view.path), path, include=include, exclude=exclude, gitignore=gitignore, hashes=hashes)
            recorded = {"digest": digest}
            self.store.put(key, recorded)
        return str(recorded["digest"])

    async def evaluate(self, state: ContainerState) -> None:
        """Evaluate a container's root file system and what is mounted into it."""
        mounts = [mount.source.op for mount in state.mounts if isinstance(mount, DirectoryMount)]
        caches = [mount.cache.source.op for mount in state.mounts if isinstance(mount, CacheMount) and mount.cache.source]
        await self.ops.outputs([state.rootfs, *mounts, *caches])

    @asynccontextmanager
    async def leased(self) -> AsyncIterator[Lease]:
        """An address on the session's network, for one container."""
        lease = await self.switch.lease()
        try:
            yield lease
        finally:
            await self.switch.release(lease)

    @asynccontextmanager
    async def volume(self, cache: CacheState, seed: tuple[Snapshot, str] | None) -> AsyncIterator[Path]:
        """A cache volume's directory, held as its sharing mode says."""
        async with self.store.volume(cache.key, sharing=cache.sharing, seed=seed) as path:
            yield path


@asynccontextmanager
async def open_session(workdir: Path, labels: Mapping[str, str], *, rootless: bool = False) -> AsyncIterator[ClientSession]:  # noqa: ARG001 - labels are for traces
    """A session with everything behind it; all it started is gone when it ends."""
    from pipelines.engine.embedded.network.switch import Switch
    from pipelines.engine.embedded.nonblocking_writer import NonBlockingWriter
    from pipelines.engine.embedded.paths import run_dir, store_dir
    from pipelines.engine.embedded.progress import LineProgress
    from pipelines.engine.embedded.sandbox.runtime import Runtime
    from pipelines.engine.embedded.store.store import Store, default_budget
    from pipelines.engine.limits import read

    limits = read(os.environ)
    log = NonBlockingWriter(STDERR)
    progress = LineProgress(log)
    state = run_dir() / "sandbox"
    state.mkdir(mode=0o700, parents=True, exist_ok=True)
    root = store_dir(rootless=rootless)
    store = await asyncio.to_thread(lambda: Store.open(root, rootless=rootless, budget=default_budget(root)))
    try:
        runtime = Runtime(state, rootless=rootless, limits=limits, note=progress.note)
        runtime.prepare_soon()
        async with Switch.open(state, note=progress.note) as switch:
            work_inputs = _work_inputs(store)
            session = LocalSession(store, runtime, switch, progress, workdir, str(platforms.host()), rootless, work_inputs, limits)
            try:
                yield session
            finally:
                async with AsyncExitStack() as ending:  # the last first; each whatever happens to the others
                    ending.push_async_callback(runtime.close)
                    ending.push_async_callback(session.services.close)
                    if work_inputs is not None:
                        await asyncio.to_thread(work_inputs.write)
    finally:
        report = await asyncio.to_thread(store.close)
        if report is not None and report.removed:
            progress.note(_evicted(report))
        await log.finish()


def _evicted(report: CleanupReport) -> str:
    """What the end of a session took from the store, in one line: the longest unused first."""
    first = ", ".join(f"{taken.label} (unused for {rounded_duration(taken.age)})" for taken in report.removed[:SHOWN])
    more = f" and {len(report.removed) - SHOWN} more" if len(report.removed) > SHOWN else ""
    sizes = f"{show_size(report.freed)} removed, {show_size(report.kept)} kept"
    return f"the store was reduced to its budget (LOCKGATE_STORE_BUDGET): {sizes}; removed: {first}{more}"


def _work_inputs(store: Store) -> WorkInputsWriter | None:
    from pipelines.engine.embedded.ops.work_inputs import WorkInputsWriter

    return WorkInputsWriter.of_environment(store.root)
