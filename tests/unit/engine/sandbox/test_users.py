from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.engine.embedded.errors import InvalidInput
from pipelines.engine.embedded.sandbox.rootfs.users import ContainerUser, find_user, parse_id

PASSWD = """root:x:0:0:root:/root:/bin/bash
# a comment
daemon:x:1:1:daemon:/usr/sbin:/usr/sbin/nologin
broken line
dev:x:1234:1234::/home/dev:/bin/sh
ghost:x:nan:5::/home/ghost:/bin/sh
2000:x:77:77::/home/number:/bin/sh
nohome:x:1500:1500:::
"""
GROUP = """root:x:0:
wheel:x:10:root,dev
dev:x:1234:dev
staff:x:50:dev
odd:x:oops:dev
shadow:x:42:
sudo:x:27:,
"""


@pytest.mark.parametrize(
    ("user", "expected"),
    [
        ("", ContainerUser(0, 0, (10,), "/root")),
        ("root", ContainerUser(0, 0, (10,), "/root")),
        ("0", ContainerUser(0, 0, (10,), "/root")),
        ("dev", ContainerUser(1234, 1234, (10, 50), "/home/dev")),
        ("1234", ContainerUser(1234, 1234, (10, 50), "/home/dev")),
        ("dev:staff", ContainerUser(1234, 50, (), "/home/dev")),
        ("dev:99", ContainerUser(1234, 99, (), "/home/dev")),
        ("1000:1001", ContainerUser(1000, 1001, (), "/")),
        ("1000", ContainerUser(1000, 0, (), "/")),
        ("2000", ContainerUser(2000, 0, (), "/")),  # a number is an id, also where an account has it as its name
        ("01234", ContainerUser(1234, 1234, (10, 50), "/home/dev")),
        ("root:root", ContainerUser(0, 0, (), "/root")),
        ("1500:root", ContainerUser(1500, 0, (), "/")),
        (":50", ContainerUser(0, 50, (), "/root")),
        ("nohome", ContainerUser(1500, 1500, (), "/")),
    ],
)
def test_users_by_name_and_number(user: str, expected: ContainerUser) -> None:
    assert find_user(user, PASSWD, GROUP) == expected


@pytest.mark.parametrize("group", ["shadow:x:42:\n", "shadow:x:42\n", "shadow:x:42:,\n", "shadow:x:42:,,root\n", "a:x:1::\n"])
def test_a_number_without_an_account_is_in_no_group(group: str) -> None:
    assert find_user("1234", PASSWD.replace("dev", "other").replace(":1234:", ":1:"), group) == ContainerUser(1234, 0, (), "/")


def test_a_member_without_a_name_is_nobody() -> None:
    assert find_user("7", ":x:7:7::/h:/bin/sh\n", "g:x:5:\nh:x:6:,\n") == ContainerUser(7, 0, (), "/")


def test_lines_end_with_a_newline_only() -> None:
    """A comment field may hold any other character that ends a line somewhere."""
    with pytest.raises(InvalidInput):
        find_user("evil", "dev:x:5:5:a\u2028evil:x:0:0::/:/bin/sh\n", "")


def test_root_needs_no_entry_where_a_group_is_given() -> None:
    assert find_user("root:root", "", "") == find_user("root:0", "", "") == ContainerUser(0, 0, (), "/root")
    with pytest.raises(InvalidInput, match="unable to find user root"):
        find_user("root", "", "")


def test_an_image_without_passwd_still_has_root() -> None:
    assert find_user("", "", "") == ContainerUser(0, 0, (), "/root")
    assert find_user("5:6", "", "") == ContainerUser(5, 6, (), "/")


@pytest.mark.parametrize("user", ["nobody-here", "ghost", "-1", "4294967295", "4294967296", "9" * 5000, "dev:nogroup", "dev:odd", "\u0661"])
def test_who_is_not_there_is_named(user: str) -> None:
    wanted = user.rpartition(":")[2]
    with pytest.raises(InvalidInput, match=f"unable to find (user|group) {wanted}: no matching entries"):
        find_user(user, PASSWD, GROUP)


@given(st.text(), st.text(), st.text())
def test_no_file_of_an_image_can_do_more_than_not_name_a_user(user: str, passwd: str, group: str) -> None:
    try:
        found = find_user(user, passwd, group)
    except InvalidInput:
        return
    assert 0 <= found.uid < (1 << 32) - 1
    assert 0 <= found.gid < (1 << 32) - 1
    assert all(parse_id(str(gid)) == gid for gid in found.groups)
