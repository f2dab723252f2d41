"""The system calls a container is refused: those that administer the kernel, or reach around the container's namespaces.

A list of refusals, not of permissions: it compiles to a small filter in a millisecond or two, and programs built for newer kernels keep
working. It refuses what Docker documents as blocked by its default profile (docs.docker.com/engine/security/seccomp) for a container with
the default capabilities, and the newer calls of the same kinds.
"""

from __future__ import annotations

import platform
from functools import cache
from typing import Any

_EPERM, _ENOSYS = 1, 38

_REFUSED = (
    *("acct", "bpf", "lookup_dcookie", "perf_event_open", "quotactl", "quotactl_fd", "reboot", "syslog", "vhangup", "fanotify_init"),
    *("add_key", "keyctl", "request_key"),
    *("clock_adjtime", "clock_adjtime64", "clock_settime", "clock_settime64", "settimeofday", "stime"),
    *("create_module", "delete_module", "finit_module", "init_module", "get_kernel_syms", "query_module"),
    *("fsconfig", "fsmount", "fsopen", "fspick", "mount", "mount_setattr", "move_mount", "open_tree", "pivot_root", "umount", "umount2"),
    *("get_mempolicy", "mbind", "move_pages", "set_mempolicy", "set_mempolicy_home_node"),
    *("io_uring_enter", "io_uring_register", "io_uring_setup", "userfaultfd"),
    *("ioperm", "iopl", "kcmp", "kexec_file_load", "kexec_load", "nfsservctl", "open_by_handle_at"),
    *("setdomainname", "sethostname", "setns", "unshare", "swapoff", "swapon"),
    *("_sysctl", "sysfs", "uselib", "ustat", "vm86", "vm86old"),
)
_ARCHITECTURES = {
    "x86_64": ("SCMP_ARCH_X86_64", "SCMP_ARCH_X86", "SCMP_ARCH_X32"),
    "aarch64": ("SCMP_ARCH_AARCH64", "SCMP_ARCH_ARM"),
}
_NAMESPACE_FLAGS = (0x20000, 0x2000000, 0x4000000, 0x8000000, 0x10000000, 0x20000000, 0x40000000)  # CLONE_NEW… of clone(2)
_AF_VSOCK = 40  # sockets of the hypervisor: no network namespace holds them


@cache
def profile() -> dict[str, Any] | None:
    """The `linux.seccomp` object of the OCI configuration, or None on an architecture whose names we do not know."""
    architectures = _ARCHITECTURES.get(platform.machine())
    if architectures is None:
        return None
    return {
        "defaultAction": "SCMP_ACT_ALLOW",
        "architectures": list(architectures),
        "syscalls": [
            _refuse(list(_REFUSED)),
            _refuse(["socket"], argument=(0, _AF_VSOCK, None)),
            *(_refuse(["clone"], argument=(0, flag, flag)) for flag in _NAMESPACE_FLAGS),
            _refuse(["clone3"], errno=_ENOSYS),  # its flags lie behind a pointer, where a filter cannot look; callers fall back to clone
        ],
    }


def _refuse(names: list[str], *, errno: int = _EPERM, argument: tuple[int, int, int | None] | None = None) -> dict[str, Any]:
    rule: dict[str, Any] = {"names": names, "action": "SCMP_ACT_ERRNO", "errnoRet": errno}
    if argument is None:
        return rule
    index, value, mask = argument
    if mask is None:
        return rule | {"args": [{"index": index, "value": value, "op": "SCMP_CMP_EQ"}]}
    return rule | {"args": [{"index": index, "value": mask, "valueTwo": value, "op": "SCMP_CMP_MASKED_EQ"}]}
