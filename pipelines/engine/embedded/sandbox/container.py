"""One container, from its bundle to its last trace."""

from __future__ import annotations

import contextlib
import itertools
import os
import shutil
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from pipelines.engine.embedded import kernel
from pipelines.engine.embedded.errors import EngineError
from pipelines.engine.embedded.sandbox.bundle import Bundle
from pipelines.engine.embedded.sandbox.cgroups.starter import Starter
from pipelines.engine.embedded.sandbox.config import INIT_TARGET, HostSupport, environment, hides_devices, process
from pipelines.engine.embedded.sandbox.launch import CannotStart, Launch
from pipelines.engine.embedded.sandbox.rootfs.mount_points import MountPoints
from pipelines.engine.embedded.sandbox.rootfs.paths import ContainerPaths
from pipelines.engine.embedded.sandbox.rootfs.users import ContainerUser, find_user
from pipelines.engine.embedded.sandbox.rootfs.workdir import make_workdir

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from pipelines.engine.embedded.child import Child
    from pipelines.engine.embedded.sandbox.binary import RuntimeBinary
    from pipelines.engine.embedded.sandbox.cgroups.cgroups import Cgroups
    from pipelines.engine.embedded.sandbox.output import ContainerOutput, StandardStreams
    from pipelines.engine.embedded.sandbox.rootfs.ids import Ids
    from pipelines.engine.embedded.sandbox.spec import ContainerSpec


@dataclass(frozen=True, slots=True)
class ContainerTools:
    """What containers of a session are made with; `state` holds `bundles/` and `runtime/`."""

    binary: RuntimeBinary
    cgroups: Cgroups | None
    host: HostSupport
    ids: Ids
    state: Path

    def close(self) -> None:
        """Release the runtime's copy and remove the cgroups; no container may run."""
        self.binary.close()
        if self.cgroups is not None:
            self.cgroups.close()


class Container:
    """Made, run once, tidied once.

    Raises:
        InvalidInput: the user is not in the container's passwd or group file, or cannot exist in this user namespace.
    """

    def __init__(self, spec: ContainerSpec, tools: ContainerTools, name: str) -> None:
        inside = ContainerPaths(spec.rootfs, spec.mounts)
        self._user = _identity(spec, inside, tools.ids)
        self._spec = spec if spec.init and _can_have_init(spec, inside, self._user, tools.host) else replace(spec, init=False)
        self._tools = tools
        self._name = name
        self._folder = tools.state / "bundles" / name
        self._execs = itertools.count(1)
        starter = tools.cgroups.starter if tools.cgroups is not None else Starter()
        self._launch = Launch(tools.binary, tools.state / "runtime", self._folder, cgroups=tools.cgroups is not None, starter=starter)
        self._points: MountPoints | None = None
        if spec.network is not None and spec.privileged:
            spec.network.modified = True

    async def run(self, streams: StandardStreams) -> tuple[Child, ContainerOutput]:
        """Start the command; raises what `Launch.run` raises. `tidy` is due in any case."""
        spec, host = self._spec, self._tools.host
        bundle = Bundle(self._folder)
        bundle.add_own_files(spec, host.init if spec.init else None)
        bundle.write_config(self._wrapped(spec.args), self._user, host)
        if hides_devices(spec, host):
            without_devices(spec.rootfs)
        make_workdir(ContainerPaths(spec.rootfs, spec.mounts), spec.rootfs, spec.cwd)
        self._points = MountPoints.before(spec.rootfs, (*spec.mounts, *bundle.binds))
        return await self._launch.run(streams)

    async def exec(self, args: Sequence[str], streams: StandardStreams) -> tuple[Child, ContainerOutput]:
        """Start another command; raises what `Launch.exec` raises."""
        if not self._folder.exists():
            raise CannotStart("the container has ended")
        path = self._folder / f"exec-{next(self._execs)}"
        Bundle.write_json(path, process(self._spec, self._user, self._tools.host, args))
        return await self._launch.exec(path, streams)

    def kill(self) -> None:
        """Kill every process of it, even when it was not started completely."""
        if self._tools.cgroups is not None:
            self._tools.cgroups.kill(self._name)

    def tidy(self) -> None:
        """Remove all that is left of it, once its processes have ended."""
        if self._tools.cgroups is not None:
            self._tools.cgroups.remove(self._name)
        shutil.rmtree(self._tools.state / "runtime" / self._name, ignore_errors=True)
        shutil.rmtree(self._folder, ignore_errors=True)
        if self._points is not None:
            self._points.clean()
            self._points = None

    def _wrapped(self, args: tuple[str, ...]) -> ContainerSpec:
        return replace(self._spec, args=(INIT_TARGET, "--", *args)) if self._spec.init else self._spec


def without_devices(rootfs: Path) -> None:
    """Make sure that no device node in the root file system can be opened. A plain folder has no layers, and so no device nodes."""
    with contextlib.suppress(OSError):
        kernel.mount("none", rootfs, flags=kernel.MS_REMOUNT | kernel.MS_BIND | kernel.MS_NODEV)
    if os.path.ismount(rootfs) and not os.statvfs(rootfs).f_flag & os.ST_NODEV:
        raise EngineError(f"device nodes in {rootfs} cannot be closed to containers: a device filter (control groups) is needed")


def _identity(spec: ContainerSpec, inside: ContainerPaths, ids: Ids) -> ContainerUser:
    user = find_user(spec.user, inside.read("/etc/passwd"), inside.read("/etc/group"))
    ids.check(f"user {spec.user or 'root'}", user.uid, user.gid)
    for secret in spec.secrets:
        ids.check(f"secret {secret.target}", secret.uid, secret.gid)
    return ids.limit(user)


def _can_have_init(spec: ContainerSpec, inside: ContainerPaths, user: ContainerUser, host: HostSupport) -> bool:
    """Whether the command runs under an init.

    An init does not say why it cannot start a command, and hands a program of another machine to a shell; the runtime says what is wrong.
    So it is left out for a command that seems to be missing, or not to run here.
    """
    if host.init is None:
        return False
    path = dict(entry.partition("=")[::2] for entry in environment(spec.env, user))["PATH"]
    return inside.finds(spec.args[0], path, spec.cwd)
