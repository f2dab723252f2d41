"""With subordinate ids an ordinary user can do what root can; without, what cannot be is refused with its cause."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.rootless.conftest import MANY, ONE

if TYPE_CHECKING:
    from tests.rootless.conftest import User

pytestmark = [pytest.mark.engine, pytest.mark.root]

ASK = Path(__file__).with_name("ask.py")
PROGRAM = str(Path(sys.executable).parent / "lockgate-engine")
CAUSE = "in this rootless session, which has 1. Install newuidmap (Debian: apt install uidmap) and add ids for this user to /etc/subuid"


def answers(user: User, image: str, subordinate: str, *, tun: bool = True) -> tuple[dict[str, str], str]:
    done = user.python(str(ASK), image, subordinate=subordinate, tun=tun, _EXPERIMENTAL_DAGGER_CLI_BIN=PROGRAM)
    assert done.returncode == 0, done.stderr
    found: dict[str, str] = json.loads(done.stdout)
    return found, done.stderr


@pytest.mark.usefixtures("sub_ids")
def test_with_subordinate_ids_there_are_other_users(user: User, image: str) -> None:
    found, log = answers(user, image, MANY)
    assert found == {
        "plain": "done\n0\n",
        "user": "1000\n",
        "named user": "daemon\n",
        "owner": "1000\n",
        "COPY --chown": "1000\n",
        "secret": "1000\n",
        "chown": "1000\n",
    }
    assert "note:" not in log


def test_without_them_there_is_one_and_everything_else_names_the_cause(user: User, image: str) -> None:
    found, log = answers(user, image, ONE)
    assert found.pop("plain") == "done\n0\n"
    assert "Invalid argument" in found.pop("chown")  # the command's own word; the note at the start says why
    assert {name: CAUSE in said for name, said in found.items()} == dict.fromkeys(found, True), found
    assert "note: containers have one user only: /etc/subuid and /etc/subgid have no range for this user" in log


def test_without_a_tun_device_containers_work_without_a_way_out(user: User, image: str) -> None:
    found, log = answers(user, image, ONE, tun=False)
    assert found["plain"] == "done\n0\n"
    assert "no egress: containers reach each other, but nothing outside (/dev/net/tun is missing or closed to this user)" in log


def test_where_proc_is_masked_as_in_containers_the_setting_is_named(user: User) -> None:
    done = user.python("-m", "pipelines.engine.embedded.main", "info", masked=True)
    assert done.returncode == 4
    assert "unmask /proc (Docker: --security-opt systempaths=unconfined; Kubernetes: procMount: Unmasked)" in done.stderr
    assert user.python("-m", "pipelines.engine.embedded.main", "info").returncode == 0
