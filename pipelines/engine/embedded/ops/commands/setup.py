"""Everything that one execution needs, prepared and removed again: file systems, volumes, secrets, services, network."""

from __future__ import annotations

import os
from contextlib import AsyncExitStack, ExitStack
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipelines.engine.embedded.errors import InvalidInput
from pipelines.engine.embedded.ops.commands.command import ContainerCommand, source_of
from pipelines.engine.embedded.ops.files.actions import ActionOp
from pipelines.engine.embedded.ops.files.edits import Chown
from pipelines.engine.embedded.ops.files.owners import owner_ids
from pipelines.engine.embedded.ops.files.read import within
from pipelines.engine.embedded.ops.tasks import in_thread
from pipelines.engine.embedded.ops.values.op import Constant, OpOutput
from pipelines.engine.embedded.ops.values.states import CacheMount, DirectoryMount, SecretMount, SocketMount, TempMount
from pipelines.engine.embedded.sandbox.spec import Bind, CaptureFiles, ContainerSpec, SecretFile, Tmpfs
from pipelines.engine.embedded.store.trees.root import Root

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pipelines.engine.embedded.ops.interface import ClientSession
    from pipelines.engine.embedded.sandbox.services.runner import RunningService
    from pipelines.engine.embedded.store.layers.draft import Draft
    from pipelines.engine.embedded.store.snapshot import Snapshot

STREAMS = ("stdout", "stderr", "combined")
LOCKED = "LOCKED"  # CacheSharingMode: one user at a time
LONGEST = 128 << 10  # bytes of one argument with its end, Linux's MAX_ARG_STRLEN


class ContainerSetup:
    """`prepare` sets everything up, `spec` describes it to the sandbox, `commit` keeps what was written; `close` is always due."""

    def __init__(self, session: ClientSession, command: ContainerCommand, inputs: Sequence[OpOutput], *, captured: bool = True) -> None:
        self.session = session
        self.command = command
        self.streams: dict[str, Path] = {}
        self._rootfs: Snapshot = inputs[0].snapshot
        outputs = iter(inputs[1:])
        self._sources = {mount.target: next(outputs).snapshot for mount in command.mounts if source_of(mount) is not None}
        self._drafts: list[Draft] = []
        self._root: Path | None = None
        self._binds: list[Bind | Tmpfs] = []
        self._writable: list[tuple[Draft, Root]] = []
        self._values: dict[str, bytes] = {}
        self._hosts: dict[str, str] = {}
        self.used: Mapping[str, RunningService] = {}
        self._lease: Any = None
        self._volumes: dict[str, Path] = {}
        self._stack = AsyncExitStack()
        self._kept = False
        self._captured = captured

    async def prepare(self) -> None:
        """Prepare everything. When something fails, `close` removes what is there by then."""
        command = self.command
        self._hosts, self.used = await self.session.services.bind(command.bindings, self._stack)
        if command.network:
            self._lease = await self._stack.enter_async_context(self.session.leased())
        await self._hold_volumes()
        for name, secret in [
            *command.secret_env,
            *((mount.target, mount.secret) for mount in command.mounts if isinstance(mount, SecretMount)),
        ]:
            self._values[name] = await self.session.secret_value(secret)
        await in_thread(self._mount)

    async def _hold_volumes(self) -> None:
        """Hold the volumes, in one order for all containers: two that lock the same two must not wait for each other.

        Nor may a container wait for itself: a volume that is locked and mounted twice is held once.
        """
        mounts = sorted((mount for mount in self.command.mounts if isinstance(mount, CacheMount)), key=lambda mount: mount.cache.key)
        locked = {mount.cache.key for mount in mounts if mount.cache.sharing == LOCKED}
        held: dict[str, Path] = {}
        for mount in mounts:
            key = mount.cache.key
            if key in locked and key in held:
                self._volumes[mount.target] = held[key]
                continue
            cache = replace(mount.cache, sharing=LOCKED) if key in locked else mount.cache
            held[key] = await self._stack.enter_async_context(self.session.volume(cache, await self._seed(mount)))
            self._volumes[mount.target] = held[key]

    async def _seed(self, mount: CacheMount) -> tuple[Snapshot, str] | None:
        """What a new volume begins with; its files belong to the mount's owner, whom this container's root file system may have to name."""
        source, owner = mount.cache.source, mount.cache.owner
        if source is None:
            return None
        snapshot = self._sources[mount.target]
        if owner:
            uid, gid = await within(self.session, Constant(self._rootfs), lambda root: owner_ids(root, owner))
            owned = ActionOp(Constant(snapshot), Chown(source.path, f"{uid}:{gid}"))
            snapshot = (await self.session.ops.output(owned)).snapshot
        return snapshot, source.path

    def _mount(self) -> None:
        draft = self._draft(self._rootfs)
        self._root = draft.mount()
        if self._captured:
            self.streams = {name: self.session.store.new_output() for name in STREAMS}
        root = Root(self._root)
        sockets: list[Bind] = []
        for mount in self.command.mounts:
            match mount:
                case DirectoryMount():
                    self._binds.append(self._bind_directory(mount, root))
                case CacheMount():
                    self._own(self._volumes[mount.target], mount.cache.owner, root)
                    self._binds.append(Bind(self._volumes[mount.target], mount.target, mount.readonly))
                case TempMount():
                    self._binds.append(Tmpfs(mount.target, mount.size, readonly=mount.readonly))
                case SocketMount():
                    sockets.append(Bind(mount.socket.path, mount.target))
                case SecretMount():
                    pass
        self._binds += sockets  # over all else, as secrets are

    def _draft(self, lower: Snapshot) -> Draft:
        draft = self.session.store.draft(lower, for_container=True)
        self._drafts.append(draft)
        return draft

    def _bind_directory(self, mount: DirectoryMount, root: Root) -> Bind:
        draft = self._draft(self._sources[mount.target])
        tree = Root(draft.mount())
        tree.stat(mount.source.path)
        if mount.owner:
            tree.chown(mount.source.path, *owner_ids(root, mount.owner), recursive=True)
        if not mount.readonly:
            self._writable.append((draft, tree))
        return Bind(tree.locate(mount.source.path), mount.target, mount.readonly)

    def _own(self, path: Path, owner: str, root: Root) -> None:
        if owner:
            os.chown(path, *owner_ids(root, owner))

    def spec(self) -> ContainerSpec:
        """What the sandbox is to run."""
        command = self.command
        assert self._root is not None  # noqa: S101 - prepare() came first
        root = Root(self._root)
        env = [f"{name}={value}" for name, value in (*command.env, *command.volatile)]
        env += [f"{name}={self._values[name].decode(errors='replace')}" for name, _ in command.secret_env]
        if any(len(text.encode(errors="replace")) >= LONGEST for text in command.args):
            raise InvalidInput(f"argument list too long: an argument has {LONGEST} bytes or more; give it as a file")
        stdin: bytes | None = command.stdin.encode() if command.stdin else None
        if command.redirect_stdin:
            stdin = self._place(command.redirect_stdin)[0].read(self._place(command.redirect_stdin)[1])
        return ContainerSpec(
            rootfs=self._root,
            args=command.args,
            env=tuple(env),
            cwd=command.cwd,
            user=command.user,
            mounts=tuple(self._binds),
            secrets=tuple(self._secret_file(mount, root) for mount in command.mounts if isinstance(mount, SecretMount)),
            stdin=stdin,
            capture=CaptureFiles(**self.streams),
            masks=tuple({value for value in self._values.values() if value}),
            hosts=self._hosts,
            network=self._lease,
            privileged=command.privileged,
            init=command.init,
        )

    def _secret_file(self, mount: SecretMount, root: Root) -> SecretFile:
        uid, gid = owner_ids(root, mount.owner)
        return SecretFile(mount.target, self._values[mount.target], uid, gid, mount.mode)

    def commit(self, key: str, code: int) -> OpOutput:
        """Keep what the command left: file systems as snapshots, streams as output files."""
        for stream, path in (("stdout", self.command.redirect_stdout), ("stderr", self.command.redirect_stderr)):
            if path:
                root, inner = self._place(path)
                root.mkdirs(str(Path(inner).parent))
                root.write_from(inner, self.streams[stream])
        writable = {id(draft) for draft, _ in self._writable}
        snapshot = self._drafts[0].commit(key)
        mounts = tuple(draft.commit(f"{key}{index:03}") for index, (draft, _) in enumerate(self._writable))
        for draft in self._drafts[1:]:
            if id(draft) not in writable:
                draft.discard()
        self._kept = True
        return OpOutput(snapshot, mounts, code, tuple((name, path.name) for name, path in sorted(self.streams.items())))

    def _place(self, path: str) -> tuple[Root, str]:
        """The tree a container path lies in, and the path there."""
        for (_, tree), mount in zip(self._writable, self._directory_mounts(), strict=True):
            if path == mount.target or path.startswith(mount.target.rstrip("/") + "/"):
                return tree, mount.source.path.rstrip("/") + path[len(mount.target.rstrip("/")) :]
        if self._root is None:
            raise InvalidInput(f"{path}: no root file system")
        return Root(self._root), path

    def _directory_mounts(self) -> list[DirectoryMount]:
        return [mount for mount in self.command.mounts if isinstance(mount, DirectoryMount) and not mount.readonly]

    async def close(self) -> None:
        """Remove everything; what was not committed is gone."""
        try:
            if not self._kept:
                await in_thread(self._discard)
        finally:
            await self._stack.aclose()

    def _discard(self) -> None:
        with ExitStack() as stack:
            for draft in self._drafts:
                stack.callback(draft.discard)
            for path in self.streams.values():
                stack.callback(path.unlink, missing_ok=True)
