"""An ordinary user's way to privileges of its own: a user namespace in which it is root (user_namespaces(7))."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, NamedTuple

from pipelines.engine.embedded import kernel
from pipelines.engine.embedded.errors import EmbeddedUnavailable

if TYPE_CHECKING:
    from collections.abc import Iterable

SWITCHES = {  # kernel setting: the value that refuses, and how to change it
    "/proc/sys/user/max_user_namespaces": ("0", "sysctl user.max_user_namespaces=15000"),
    "/proc/sys/kernel/unprivileged_userns_clone": ("0", "sysctl kernel.unprivileged_userns_clone=1"),
    "/proc/sys/kernel/apparmor_restrict_unprivileged_userns": ("1", "sysctl kernel.apparmor_restrict_unprivileged_userns=0"),
}
CONTAINER = "in a container, the runner must allow them (Docker: --security-opt seccomp=unconfined --security-opt apparmor=unconfined)"


class Range(NamedTuple):
    """Subordinate ids given to a user (subuid(5))."""

    start: int
    size: int


def enter() -> bool:
    """Move this process into a new user namespace, as its root.

    Returns whether it has subordinate ids too; without, every id but 0 is missing inside.

    Raises:
        EmbeddedUnavailable: user namespaces are refused; the message names the setting.
    """
    uid, gid = os.getuid(), os.getgid()
    mapper = _Mapper(os.getpid(), uid, gid)
    try:
        kernel.unshare(kernel.CLONE_NEWUSER)
    except OSError as error:
        mapper.forget()
        raise EmbeddedUnavailable(f"user namespaces are refused ({error.strerror}): {remedy()}") from error
    mapped = mapper.map()
    try:
        if not mapped:
            _map_one(uid, gid)
        os.setresgid(0, 0, 0)
        os.setresuid(0, 0, 0)
    except OSError as error:
        raise EmbeddedUnavailable(f"a user namespace cannot be set up ({error.strerror}): {remedy()}") from error
    _tell_container_tools(uid, gid)
    return mapped


def _tell_container_tools(uid: int, gid: int) -> None:
    """Say who the user is: skopeo, finding itself root, would use folders that are root's (containers/storage, package unshare)."""
    os.environ |= {"_CONTAINERS_USERNS_CONFIGURED": "done", "_CONTAINERS_ROOTLESS_UID": str(uid), "_CONTAINERS_ROOTLESS_GID": str(gid)}


def remedy(switches: dict[str, tuple[str, str]] = SWITCHES) -> str:
    """What to change so that user namespaces are allowed."""
    for path, (refusing, command) in switches.items():
        try:
            with open(path, encoding="ascii") as file:  # noqa: PTH123 - pathlib would cost the start-up 8 ms
                if file.read().strip() == refusing:
                    return f"run as root: {command}"
        except OSError:
            continue
    return CONTAINER


def subordinate(lines: Iterable[str], uid: int, name: str) -> Range | None:
    """The user's largest range in the text of /etc/subuid or /etc/subgid: lines `user:start:count`, the user by name or number."""
    ranges = []
    for line in lines:
        user, _, numbers = line.strip().partition(":")
        start, _, count = numbers.partition(":")
        if user in {name, str(uid)} and start.isdecimal() and count.isdecimal():
            ranges.append(Range(int(start), int(count)))
    return max(ranges, key=lambda one: one.size, default=None)


class _Mapper:
    """A child that stays outside, to call the set-uid helpers that may map subordinate ids (newuidmap(1), newgidmap(1))."""

    def __init__(self, target: int, uid: int, gid: int) -> None:
        self._child = 0
        users, groups = _ranges("/etc/subuid", uid), _ranges("/etc/subgid", uid)
        if users and groups and _which("newuidmap") and _which("newgidmap"):
            wake, self._wake = os.pipe()
            self._child = os.fork()
            if not self._child:
                os.close(self._wake)
                os._exit(_map_ranges(wake, target, (uid, users), (gid, groups)))
            os.close(wake)

    def map(self) -> bool:
        """Map the ids, now that the namespace is there; whether it worked."""
        if not self._child:
            return False
        os.write(self._wake, b"1")
        return self._end() == 0

    def forget(self) -> None:
        if self._child:
            self._end()

    def _end(self) -> int:
        os.close(self._wake)
        return os.waitstatus_to_exitcode(os.waitpid(self._child, 0)[1])


def _map_ranges(wake: int, target: int, *ids: tuple[int, Range]) -> int:
    """In the mapper: wait for the word, then run both helpers. Returns 0 when both did their work."""
    if not os.read(wake, 1):
        return 1
    for helper, (own, extra) in zip(("newuidmap", "newgidmap"), ids, strict=True):
        argv = [helper, str(target), "0", str(own), "1", "1", str(extra.start), str(extra.size)]
        if os.spawnvp(os.P_WAIT, helper, argv):  # noqa: S606 - no shell: good
            return 1
    return 0


def _map_one(uid: int, gid: int) -> None:
    """Map the one id everybody may map, unless a helper did part of its work before it failed."""
    for name, text in (("uid_map", f"0 {uid} 1"), ("setgroups", "deny"), ("gid_map", f"0 {gid} 1")):
        with open(f"/proc/self/{name}", "r+", encoding="ascii") as file:  # noqa: PTH123 - as above
            if file.read().strip() in {"", "allow"}:
                file.seek(0)
                file.write(text)


def _ranges(path: str, uid: int) -> Range | None:
    import pwd

    try:
        name = pwd.getpwuid(uid).pw_name
    except KeyError:
        name = str(uid)
    try:
        with open(path, encoding="utf-8", errors="replace") as file:  # noqa: PTH123 - as above
            return subordinate(file, uid, name)
    except OSError:
        return None


def _which(program: str) -> bool:
    return any(os.access(f"{folder}/{program}", os.X_OK) for folder in os.environ.get("PATH", os.defpath).split(":"))
