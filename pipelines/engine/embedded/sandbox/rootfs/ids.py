"""Which users and groups can exist: all of them as root, some or one in an ordinary user's user namespace (user_namespaces(7))."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from pipelines.engine.embedded.errors import InvalidInput

if TYPE_CHECKING:
    from pipelines.engine.embedded.sandbox.rootfs.users import ContainerUser

Range = tuple[int, int]
_REMEDY = "Install newuidmap (Debian: apt install uidmap) and add ids for this user to /etc/subuid and /etc/subgid, or run as root"


@dataclass(frozen=True, slots=True)
class Ids:
    """The ids that are mapped here, as (first, count), and whether a process may have supplementary groups."""

    uids: tuple[Range, ...]
    gids: tuple[Range, ...]
    supplementary: bool

    @classmethod
    def of_this_process(cls, proc: Path = Path("/proc/self")) -> Ids:
        """The ids that exist in this process's user namespace (user_namespaces(7))."""
        uids, gids = (parse_map((proc / name).read_text()) for name in ("uid_map", "gid_map"))
        return cls(uids, gids, (proc / "setgroups").read_text().strip() == "allow")

    def check(self, what: str, uid: int, gid: int) -> None:
        """Make sure that an owner can exist.

        Raises:
            InvalidInput: it cannot, with what to do about it.
        """
        for kind, wanted, ranges in (("uid", uid, self.uids), ("gid", gid, self.gids)):
            if not _within(wanted, ranges):
                there = sum(count for _, count in ranges)
                raise InvalidInput(f"{what}: {kind} {wanted} does not exist in this rootless session, which has {there}. {_REMEDY}")

    def limit(self, user: ContainerUser) -> ContainerUser:
        """`user` without the supplementary groups it cannot have here."""
        return replace(user, groups=tuple(gid for gid in user.groups if self.supplementary and _within(gid, self.gids)))


def parse_map(text: str) -> tuple[Range, ...]:
    """The ids inside the namespace, from the text of /proc/PID/uid_map: lines of first inside, first outside, count."""
    rows = (line.split() for line in text.splitlines())
    return tuple((int(first), int(count)) for first, _, count in rows)


def _within(wanted: int, ranges: tuple[Range, ...]) -> bool:
    return any(first <= wanted < first + count for first, count in ranges)
