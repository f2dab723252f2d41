"""Who a command runs as: a user string against the container's own passwd(5) and group(5)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from pipelines.engine.embedded.errors import InvalidInput

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence


@dataclass(frozen=True, slots=True)
class User:
    """Numeric identity in the container, and the home directory its HOME defaults to."""

    uid: int
    gid: int
    groups: tuple[int, ...] = ()
    home: str = "/"


class _Account(NamedTuple):
    name: str
    uid: int
    gid: int
    home: str


class _Group(NamedTuple):
    name: str
    gid: int
    members: tuple[str, ...]


def find_user(user: str, passwd: str, group: str) -> User:
    """Resolve `user` ("" is root; name or uid, then optionally `:` and group name or gid) as Docker does.

    A number needs no entry; without one its group is 0 and its home `/`. Supplementary groups come with a name only while no group is
    given. Malformed lines are passed over.

    Raises:
        InvalidInput: a name is not in the file it is looked up in.
    """
    user_part, _, group_part = (user or "0").partition(":")
    accounts = list(_accounts(passwd))
    groups = list(_groups(group))
    account = _account(user_part or "0", accounts)
    if group_part:
        return User(account.uid, _gid(group_part, groups), (), account.home)
    extra = tuple(dict.fromkeys(g.gid for g in groups if account.name in g.members and g.gid != account.gid))
    return User(account.uid, account.gid, extra, account.home)


def _account(wanted: str, accounts: Sequence[_Account]) -> _Account:
    for account in accounts:
        if wanted in (account.name, str(account.uid)):
            return account
    if _is_id(wanted):
        return _Account("", int(wanted), 0, "/root" if int(wanted) == 0 else "/")
    raise InvalidInput(f"unable to find user {wanted}: no matching entries in passwd file")


def _gid(wanted: str, groups: Sequence[_Group]) -> int:
    for group in groups:
        if wanted in (group.name, str(group.gid)):
            return group.gid
    if _is_id(wanted):
        return int(wanted)
    raise InvalidInput(f"unable to find group {wanted}: no matching entries in group file")


def _accounts(passwd: str) -> Iterator[_Account]:
    for name, fields in _records(passwd):
        if len(fields) >= 5 and _is_id(fields[1]) and _is_id(fields[2]):  # noqa: PLR2004 - passwd(5): password, uid, gid, comment, home, shell
            yield _Account(name, int(fields[1]), int(fields[2]), fields[4] or "/")


def _groups(group: str) -> Iterator[_Group]:
    for name, fields in _records(group):
        if len(fields) >= 2 and _is_id(fields[1]):  # noqa: PLR2004 - group(5): password, gid, members
            yield _Group(name, int(fields[1]), tuple(fields[2].split(",")) if len(fields) > 2 else ())  # noqa: PLR2004


def _records(text: str) -> Iterator[tuple[str, list[str]]]:
    for line in text.splitlines():
        name, *fields = line.strip().split(":")
        if name and not name.startswith("#"):
            yield name, fields


def _is_id(text: str) -> bool:
    return text.isascii() and text.isdigit() and int(text) < 1 << 32
