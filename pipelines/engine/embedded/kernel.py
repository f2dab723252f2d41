"""Linux system calls that Python 3.11 has no function for, each a thin call through the C library.

Every function raises `OSError` with the kernel's errno; nothing here knows about the engine. Numbers of system calls newer than
Linux 5.1 are the same on every architecture. Sources: the manual pages mount(2), umount(2), openat2(2), prctl(2), renameat(2), setns(2),
unshare(2).
"""

from __future__ import annotations

import ctypes
import errno
import os
import struct
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    StrPath = str | Path

# What unshare and setns take.
CLONE_NEWNS = 0x00020000
CLONE_NEWCGROUP = 0x02000000
CLONE_NEWIPC = 0x08000000
CLONE_NEWUSER = 0x10000000
CLONE_NEWPID = 0x20000000
CLONE_NEWNET = 0x40000000

# What mount takes.
MS_RDONLY = 0x1
MS_NOSUID = 0x2
MS_NODEV = 0x4
MS_NOEXEC = 0x8
MS_REMOUNT = 0x20
MS_BIND = 0x1000
MS_REC = 0x4000
MS_PRIVATE = 0x40000
MS_SHARED = 0x100000

# What umount takes.
MNT_DETACH = 0x2
UMOUNT_NOFOLLOW = 0x8

# How openat2 resolves paths.
RESOLVE_IN_ROOT = 0x10

# What rename takes.
RENAME_NOREPLACE = 0x1

# Options of prctl.
PR_SET_PDEATHSIG = 1
PR_SET_DUMPABLE = 4
PR_SET_CHILD_SUBREAPER = 36

_AT_FDCWD = -100
_SYS_OPENAT2 = 437
_TRIES = 1000  # a rename anywhere on the machine makes the kernel unsure of `..`: EAGAIN, by the manual to be tried again

_libc = ctypes.CDLL(None, use_errno=True)
_libc.syscall.restype = ctypes.c_long
_libc.mount.argtypes = (ctypes.c_char_p, ctypes.c_char_p, ctypes.c_char_p, ctypes.c_ulong, ctypes.c_char_p)
_libc.prctl.argtypes = (ctypes.c_int, ctypes.c_ulong, ctypes.c_ulong, ctypes.c_ulong, ctypes.c_ulong)
_libc.renameat2.argtypes = (ctypes.c_int, ctypes.c_char_p, ctypes.c_int, ctypes.c_char_p, ctypes.c_uint)


def _check(result: int, *names: str) -> int:
    if result >= 0:
        return result
    number = ctypes.get_errno()
    if len(names) > 1:
        raise OSError(number, os.strerror(number), names[0], None, names[1])
    raise OSError(number, os.strerror(number), *names)


def mount(source: StrPath, target: StrPath, fstype: str = "", flags: int = 0, data: str = "") -> None:
    """Mount a file system (mount(2)); `data` is its own option string: less than one page (4,096 bytes)."""
    arguments = (os.fsencode(source), os.fsencode(target), fstype.encode(), flags, os.fsencode(data))
    _check(_libc.mount(*arguments), str(source), str(target))


def umount(target: StrPath, flags: int = UMOUNT_NOFOLLOW) -> None:
    """Unmount (umount2(2)): EBUSY while something uses the mount, unless `flags` has MNT_DETACH."""
    _check(_libc.umount2(os.fsencode(target), flags), str(target))


def make_private(target: StrPath = "/") -> None:
    """Stop mounts under `target` from spreading to other mount namespaces, and theirs from coming here."""
    mount("none", target, flags=MS_REC | MS_PRIVATE)


def bind(source: StrPath, target: StrPath, *, readonly: bool = False, recursive: bool = True) -> None:
    """Show `source` (a file or a directory) at `target` too; read-only takes a second call, as the kernel ignores the flag in the first."""
    flags = MS_BIND | (MS_REC if recursive else 0)
    mount(source, target, flags=flags)
    if readonly:
        mount("none", target, flags=flags | MS_REMOUNT | MS_RDONLY)


def unshare(flags: int) -> None:
    """Give this thread new namespaces (CLONE_NEW…); CLONE_NEWPID counts from the next child on."""
    _check(_libc.unshare(flags))


def setns(fd: int, flags: int = 0) -> None:
    """Move the calling thread into the namespace (or, for a pidfd, the namespaces in `flags`) that `fd` stands for."""
    _check(_libc.setns(fd, flags))


def pivot_root(new_root: StrPath, put_old: StrPath) -> None:
    """Make `new_root`, a mount point, the root directory and show the old one at `put_old`, a directory below it."""
    _check(_libc.pivot_root(os.fsencode(new_root), os.fsencode(put_old)), str(new_root), str(put_old))


def prctl(option: int, value: int = 0) -> int:
    """Set a property of this process or thread; for the options that take at most one number."""
    result: int = _libc.prctl(option, value, 0, 0, 0)
    return _check(result)


def die_with_parent(signal_number: int) -> None:
    """Have the kernel send `signal_number` to this process when the *thread* that forked it ends (PR_SET_PDEATHSIG)."""
    prctl(PR_SET_PDEATHSIG, signal_number)


def openat2(directory: int, path: str, flags: int, mode: int = 0, resolve: int = RESOLVE_IN_ROOT) -> int:
    """Open `path` below the directory file descriptor; returns a file descriptor that is not inherited by new programs.

    With RESOLVE_IN_ROOT the directory acts as `/`: neither `..` nor any symbolic link leads out of it. ENOSYS before Linux 5.6, and
    EPERM under a seccomp profile that does not know it.
    """
    how = struct.pack("=QQQ", flags | os.O_CLOEXEC, mode, resolve)
    result = -1
    for _ in range(_TRIES):
        result = _libc.syscall(_SYS_OPENAT2, directory, os.fsencode(path), how, ctypes.c_size_t(len(how)))
        if result >= 0 or ctypes.get_errno() != errno.EAGAIN:
            break
    return _check(result, path)


def rename(source: StrPath, target: StrPath, flags: int = RENAME_NOREPLACE) -> None:
    """Rename (renameat2(2)): by default EEXIST, instead of replacing, when `target` exists."""
    _check(_libc.renameat2(_AT_FDCWD, os.fsencode(source), _AT_FDCWD, os.fsencode(target), flags), str(source), str(target))
