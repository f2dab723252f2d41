from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pipelines.engine.embedded.errors import InvalidInput
from pipelines.engine.embedded.sandbox.rootfs.ids import Ids, parse_map
from pipelines.engine.embedded.sandbox.rootfs.users import ContainerUser

if TYPE_CHECKING:
    from pathlib import Path

ROOT = "         0          0 4294967295\n"
ONE = "         0       1000          1\n"
MANY = "         0       1000          1\n         1     100000      65536\n"


def ids(folder: Path, mapping: str, setgroups: str = "allow") -> Ids:
    for name, text in (("uid_map", mapping), ("gid_map", mapping), ("setgroups", setgroups + "\n")):
        (folder / name).write_text(text)
    return Ids.of_this_process(folder)


def test_maps_are_read_as_the_kernel_writes_them() -> None:
    assert parse_map(MANY) == ((0, 1), (1, 65536))


@pytest.mark.parametrize(
    ("mapping", "uid", "gid"),
    [(ROOT, 0, 4294967294), (ONE, 0, 0), (MANY, 65536, 1234)],
)
def test_who_can_exist(tmp_path: Path, mapping: str, uid: int, gid: int) -> None:
    ids(tmp_path, mapping).check("user x", uid, gid)


@pytest.mark.parametrize(
    ("mapping", "uid", "gid", "told"),
    [
        (ONE, 1000, 0, "user x: uid 1000 does not exist in this rootless session, which has 1. "),
        (MANY, 0, 65537, "user x: gid 65537 does not exist in this rootless session, which has 65537. "),
    ],
)
def test_who_cannot_is_told_what_to_do(tmp_path: Path, mapping: str, uid: int, gid: int, told: str) -> None:
    with pytest.raises(InvalidInput, match=told + "Install newuidmap"):
        ids(tmp_path, mapping).check("user x", uid, gid)


def test_groups_are_left_out_where_they_cannot_be(tmp_path: Path) -> None:
    user = ContainerUser(0, 0, (5, 100_000), "/root")
    assert ids(tmp_path, MANY).limit(user).groups == (5,)
    assert ids(tmp_path, MANY, "deny").limit(user).groups == ()
    assert ids(tmp_path, ROOT).limit(user) == user
