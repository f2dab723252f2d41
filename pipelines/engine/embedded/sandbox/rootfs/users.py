"""Who a command runs as: a user string against the container's own passwd(5) and group(5)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from pipelines.engine.embedded.errors import InvalidInput

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

_ID = re.compile(r"0*[0-9]{1,10}")
_NO_ID = 2**32 - 1  # (uid_t)-1: chown(2) and setresuid(2) read it as "leave it as it is"


@dataclass(frozen=True, slots=True)
class ContainerUser:
    """Numeric identity in the container, and the home directory its HOME defaults to."""

    uid: int
    gid: int
    groups: tuple[int, ...] = ()
    home: str = "/"


class Account(NamedTuple):
    """A line of passwd(5)."""

    name: str
    uid: int
    gid: int
    home: str


class Group(NamedTuple):
    """A line of group(5)."""

    name: str
    gid: int
    members: tuple[str, ...]


def find_user(user: str, passwd: str, group: str) -> ContainerUser:
    """Resolve `user` ("" is root; name or uid, then optionally `:` and group name or gid) as Docker and BuildKit do.

    A number is always an id, whatever names the files hold (github.com/moby/sys/user, GetExecUser). It needs no entry; without one its
    group is 0, its home `/`, and it is in no other group. Supplementary groups come with an account only while no group is given.

    Raises:
        InvalidInput: a name is not in the file it is looked up in.
    """
    user_part, _, group_part = (user or "0").partition(":")
    candidates = list(accounts(passwd))
    account = _account(user_part or "0", candidates, alone=not group_part)
    if group_part:
        return ContainerUser(account.uid, _gid(group_part, list(groups(group))), (), account.home)
    return ContainerUser(account.uid, account.gid, _supplementary(account, groups(group)), account.home)


def _account(wanted: str, candidates: Sequence[Account], *, alone: bool) -> Account:
    number = parse_id(wanted)
    for account in candidates:
        if number == account.uid if number is not None else wanted == account.name:
            return account
    if number is None and wanted == "root" and not alone:
        number = 0  # with a group, BuildKit (executor/oci/user.go) knows root without an entry
    if number is not None:
        return Account("", number, 0, "/root" if number == 0 else "/")
    raise InvalidInput(f"unable to find user {wanted}: no matching entries in passwd file")


def _gid(wanted: str, candidates: Sequence[Group]) -> int:
    number = parse_id(wanted)
    if number is not None:
        return number
    for group in candidates:
        if wanted == group.name:
            return group.gid
    if wanted == "root":
        return 0
    raise InvalidInput(f"unable to find group {wanted}: no matching entries in group file")


def _supplementary(account: Account, candidates: Iterable[Group]) -> tuple[int, ...]:
    """The groups an account is a member of. An account without a name is in no group, even if a group's list of members is empty."""
    if not account.name:
        return ()
    return tuple(dict.fromkeys(group.gid for group in candidates if account.name in group.members and group.gid != account.gid))


def accounts(passwd: str) -> Iterator[Account]:
    """The accounts in the text of /etc/passwd; malformed lines are passed over."""
    for name, fields in _records(passwd):
        if len(fields) >= 5:  # noqa: PLR2004 - passwd(5): password, uid, gid, comment, home, shell
            uid, gid = parse_id(fields[1]), parse_id(fields[2])
            if uid is not None and gid is not None:
                yield Account(name, uid, gid, fields[4] or "/")


def groups(group: str) -> Iterator[Group]:
    """The groups in the text of /etc/group; malformed lines are passed over."""
    for name, fields in _records(group):
        gid = parse_id(fields[1]) if len(fields) >= 2 else None  # noqa: PLR2004 - group(5): password, gid, members
        if gid is not None:
            members = fields[2].split(",") if len(fields) > 2 else ()  # noqa: PLR2004
            yield Group(name, gid, tuple(member for member in members if member))


def parse_id(text: str) -> int | None:
    """The number of a user or group that `text` is; None when it is a name, or not a possible id."""
    number = int(text) if _ID.fullmatch(text) else _NO_ID
    return number if number < _NO_ID else None


def _records(text: str) -> Iterator[tuple[str, list[str]]]:
    for line in text.split("\n"):
        name, *fields = line.strip().split(":")
        if name and not name.startswith("#"):
            yield name, fields
