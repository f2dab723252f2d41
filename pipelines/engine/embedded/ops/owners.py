"""Owners as `user[:group]`, by number or by a name the file system itself knows."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING

from pipelines.engine.embedded.errors import EngineError, InvalidInput
from pipelines.engine.embedded.sandbox.ids import Ids

if TYPE_CHECKING:
    from pipelines.engine.embedded.store.paths import Root

_PASSWD_FIELDS = 4


def owner_ids(root: Root, owner: str) -> tuple[int, int]:
    """Numeric user and group; a group not given is the user's number (as Dagger has it), or the user's own group for a name.

    Raises:
        InvalidInput: a name `/etc/passwd` or `/etc/group` of `root` does not have, or a number that cannot exist in this session.
    """
    if not owner:
        return 0, 0
    user, _, group = owner.partition(":")
    uid, own_group = _user(root, user)
    gid = _group(root, group) if group else own_group
    _mapped().check(f"owner {owner}", uid, gid)
    return uid, gid


@functools.cache
def _mapped() -> Ids:
    return Ids.of_this_process()


def _user(root: Root, user: str) -> tuple[int, int]:
    if user.isdecimal():
        return int(user), int(user)
    for fields in _table(root, "/etc/passwd"):
        if fields[0] == user and len(fields) >= _PASSWD_FIELDS:
            return int(fields[2]), int(fields[3])
    raise InvalidInput(f"unable to find user {user}: no matching entries in passwd file")


def _group(root: Root, group: str) -> int:
    if group.isdecimal():
        return int(group)
    for fields in _table(root, "/etc/group"):
        if fields[0] == group:
            return int(fields[2])
    raise InvalidInput(f"unable to find group {group}: no matching entries in group file")


def _table(root: Root, path: str) -> list[list[str]]:
    try:
        text = root.read(path).decode(errors="replace")
    except EngineError:
        return []
    return [line.split(":") for line in text.splitlines() if line.count(":") >= 2]  # noqa: PLR2004 - name:password:number
