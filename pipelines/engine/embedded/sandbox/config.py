"""The OCI runtime configuration (opencontainers/runtime-spec, config.md) of one container."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipelines.engine.embedded.sandbox.seccomp import profile
from pipelines.engine.embedded.sandbox.spec import Bind, Tmpfs

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from pipelines.engine.embedded.sandbox.rootfs.users import ContainerUser
    from pipelines.engine.embedded.sandbox.spec import ContainerSpec

DEFAULT_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
INIT_TARGET = "/dev/init"  # /dev is made anew for each container: nothing is left in the root file system

# capabilities(7), by number; the default set is Docker's: CapEff 00000000a80425fb.
_CAPABILITIES = (
    *("CHOWN", "DAC_OVERRIDE", "DAC_READ_SEARCH", "FOWNER", "FSETID", "KILL", "SETGID", "SETUID", "SETPCAP", "LINUX_IMMUTABLE"),
    *("NET_BIND_SERVICE", "NET_BROADCAST", "NET_ADMIN", "NET_RAW", "IPC_LOCK", "IPC_OWNER", "SYS_MODULE", "SYS_RAWIO", "SYS_CHROOT"),
    *("SYS_PTRACE", "SYS_PACCT", "SYS_ADMIN", "SYS_BOOT", "SYS_NICE", "SYS_RESOURCE", "SYS_TIME", "SYS_TTY_CONFIG", "MKNOD", "LEASE"),
    *("AUDIT_WRITE", "AUDIT_CONTROL", "SETFCAP", "MAC_OVERRIDE", "MAC_ADMIN", "SYSLOG", "WAKE_ALARM", "BLOCK_SUSPEND", "AUDIT_READ"),
    *("PERFMON", "BPF", "CHECKPOINT_RESTORE"),
)
_DEFAULT_CAPABILITIES = 0xA80425FB
_MKNOD = 1 << _CAPABILITIES.index("MKNOD")

_MASKED = (
    *("/proc/acpi", "/proc/asound", "/proc/kcore", "/proc/keys", "/proc/latency_stats", "/proc/sched_debug"),
    *("/proc/scsi", "/proc/timer_list", "/proc/timer_stats", "/sys/devices/virtual/powercap", "/sys/firmware"),
)
_READONLY = ("/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger")
_UMASK = 0o022
_SHM_BYTES = 64 << 20
_EXPENDABLE = 500  # oom_score_adj of containers, of 1000: when the machine runs out of memory they are killed before other programs


@dataclass(frozen=True, slots=True)
class HostSupport:
    """What this machine can do for containers.

    Args:
        rootless: we run inside a user namespace of an ordinary user.
        cgroups: there is a cgroup directory of ours; without it device access cannot be filtered.
        seccomp: the runtime was built with libseccomp.
        init: a statically linked init program, if one is installed.
        processes: how many processes the runtime is to allow each container; None: the runtime sets no limit.
    """

    rootless: bool
    cgroups: bool
    seccomp: bool
    init: Path | None
    processes: int | None = None


def oci_config(spec: ContainerSpec, user: ContainerUser, host: HostSupport, extra: Sequence[Bind], cgroup: str) -> dict[str, Any]:
    """The configuration of `spec`; `extra` binds are ours (resolv.conf, secrets, init …), `cgroup` names the container's cgroup."""
    resources: dict[str, Any] = {"devices": _devices(spec)}
    if host.processes is not None:
        resources["pids"] = {"limit": host.processes}
    linux: dict[str, Any] = {"namespaces": _namespaces(spec), "resources": resources}
    if host.cgroups:
        linux["cgroupsPath"] = cgroup
    if not spec.privileged:
        linux |= {"maskedPaths": list(_MASKED), "readonlyPaths": list(_READONLY)}
        if host.seccomp and (seccomp := profile()):
            linux["seccomp"] = seccomp
    return {
        "ociVersion": "1.0.2",
        "process": process(spec, user, host, spec.args),
        "root": {"path": str(spec.rootfs), "readonly": False},
        "hostname": spec.hostname,
        "mounts": [*_system_mounts(spec, host), *(_mount(m, nodev=hides_devices(spec, host)) for m in (*spec.mounts, *extra))],
        "linux": linux,
    }


def hides_devices(spec: ContainerSpec, host: HostSupport) -> bool:
    """Whether device nodes must not work at all: without a cgroup nothing filters them, and one in an image would be the real device."""
    return not host.cgroups and not host.rootless and not spec.privileged


def process(spec: ContainerSpec, user: ContainerUser, host: HostSupport, args: Iterable[str]) -> dict[str, Any]:
    """The `process` object: also what the runtime's `exec` takes, with other `args`."""
    names = _capability_names(spec, host)
    return {
        "terminal": False,
        "user": {"uid": user.uid, "gid": user.gid, "additionalGids": list(user.groups), "umask": _UMASK},
        "args": list(args),
        "env": environment(spec.env, user),
        "cwd": spec.cwd,
        "noNewPrivileges": False,
        "oomScoreAdj": max(_EXPENDABLE, own_score()),
        "capabilities": {
            "bounding": names,
            "effective": names if user.uid == 0 else [],
            "permitted": names if user.uid == 0 else [],
        },
    }


def environment(env: Iterable[str], user: ContainerUser) -> list[str]:
    """`env` with PATH and HOME where it has none; of a name given twice the last counts."""
    values = {"PATH": DEFAULT_PATH, "HOME": user.home} | dict(entry.partition("=")[::2] for entry in env)
    return [f"{name}={value}" for name, value in values.items()]


def _namespaces(spec: ContainerSpec) -> list[dict[str, str]]:
    network = {"type": "network"} if spec.network is None else {"type": "network", "path": spec.network.netns}
    return [*({"type": kind} for kind in ("pid", "mount", "ipc", "uts", "cgroup")), network]


def _devices(spec: ContainerSpec) -> list[dict[str, Any]]:
    """The runtime adds its own short list of harmless devices (null, zero, full, random, urandom, tty, pts)."""
    return [
        {"allow": spec.privileged, "access": "rwm"},
        *([] if spec.privileged else [{"allow": True, "type": t, "access": "m"} for t in "cb"]),
    ]


def _capability_names(spec: ContainerSpec, host: HostSupport) -> list[str]:
    wanted = -1 if spec.privileged else _DEFAULT_CAPABILITIES
    if hides_devices(spec, host):
        wanted &= ~_MKNOD
    return [f"CAP_{name}" for number, name in enumerate(_CAPABILITIES) if wanted & bounding_set() & (1 << number)]


@cache
def bounding_set() -> int:
    """The capabilities this process could give at all: runtimes fail on others."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1], 16) for line in lines if line.startswith("CapBnd:"))


@cache
def own_score() -> int:
    """This process's oom_score_adj (proc(5)): a process without privileges may give its children no smaller one."""
    return int(Path("/proc/self/oom_score_adj").read_text())


def _system_mounts(spec: ContainerSpec, host: HostSupport) -> list[dict[str, Any]]:
    quiet = ["nosuid", "noexec", "nodev"]
    access = "rw" if spec.privileged else "ro"
    tty = [] if host.rootless else ["gid=5"]
    mounts = [
        _special("/proc", "proc", quiet),
        _special("/dev", "tmpfs", ["nosuid", "strictatime", "mode=755", "size=65536k"]),
        _special("/dev/pts", "devpts", ["nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620", *tty]),
        _special("/dev/shm", "tmpfs", [*quiet, "mode=1777", f"size={_SHM_BYTES}"]),  # noqa: S108 - the container's own
        _special("/dev/mqueue", "mqueue", quiet),
        _special("/sys", "sysfs", [*quiet, access]),
    ]
    return [*mounts, _special("/sys/fs/cgroup", "cgroup", [*quiet, "relatime", access])] if host.cgroups else mounts


def _special(target: str, kind: str, options: list[str]) -> dict[str, Any]:
    return {"destination": target, "type": kind, "source": kind, "options": options}


def _mount(mount: Bind | Tmpfs, *, nodev: bool) -> dict[str, Any]:
    if isinstance(mount, Tmpfs):
        size = [] if mount.size is None else [f"size={mount.size}"]
        return _special(mount.target, "tmpfs", ["nosuid", "nodev", f"mode={mount.mode:o}", *size, *(["ro"] if mount.readonly else [])])
    options = ["rbind", "rprivate", "ro" if mount.readonly else "rw", *(["nodev"] if nodev else [])]
    return {"destination": mount.target, "type": "bind", "source": str(mount.source), "options": options}
