"""Owners as `user[:group]`, by number or by a name the file system itself knows."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING

from pipelines.engine.embedded.errors import EngineError, InvalidInput
from pipelines.engine.embedded.sandbox.rootfs.ids import Ids
from pipelines.engine.embedded.sandbox.rootfs.users import accounts, groups, parse_id

if TYPE_CHECKING:
    from pipelines.engine.embedded.store.trees.root import Root

_LARGEST = 10 << 20
"""Bytes of an /etc/passwd or /etc/group, as in BuildKit (executor/oci/user.go)."""


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


def copy_owner(root: Root, owner: str) -> tuple[int, int]:
    """As `owner_ids`, for `COPY --chown`, which also takes `:group`: the user is then 0."""
    return owner_ids(root, "0" + owner if owner.startswith(":") else owner)


@functools.cache
def _mapped() -> Ids:
    return Ids.of_this_process()


def _user(root: Root, user: str) -> tuple[int, int]:
    number = parse_id(user)
    if number is not None:
        return number, number
    for account in accounts(_text(root, "/etc/passwd")):
        if account.name == user:
            return account.uid, account.gid
    raise InvalidInput(f"unable to find user {user}: no matching entries in passwd file")


def _group(root: Root, group: str) -> int:
    number = parse_id(group)
    if number is not None:
        return number
    for account in groups(_text(root, "/etc/group")):
        if account.name == group:
            return account.gid
    raise InvalidInput(f"unable to find group {group}: no matching entries in group file")


def _text(root: Root, path: str) -> str:
    try:
        return root.read(path, limit=_LARGEST).decode(errors="replace")
    except EngineError:
        return ""
