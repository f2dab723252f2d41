"""The same as an ordinary user, who has no privilege but a user namespace; where we are root, as somebody else."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import sysconfig
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

ORDINARY = 12345
PROJECT = Path(__file__).parents[3]
LIBRARIES = sysconfig.get_path("purelib")
SESSION = Path(__file__).with_name("rootless_session.py")


def as_ordinary_user(*command: str) -> subprocess.CompletedProcess[str]:
    identity: dict[str, Any] = {"user": ORDINARY, "group": ORDINARY, "extra_groups": []} if os.geteuid() == 0 else {}
    environment = {"PATH": "/usr/bin:/bin:/usr/sbin:/sbin", "PYTHONPATH": f"{PROJECT}:{LIBRARIES}", "PYTHONDONTWRITEBYTECODE": "1"}
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=False, cwd="/", timeout=60, **identity)


@pytest.fixture(scope="module")
def python() -> str:
    """A Python that an ordinary user may start, and that finds this project."""
    for program in (sys.executable, "/usr/bin/python3"):
        try:
            done = as_ordinary_user(program, "-c", "import sys, pipelines, ahocorasick_rs; assert sys.version_info >= (3, 11)")
        except OSError:
            continue
        if done.returncode == 0:
            return program
    pytest.skip("no Python here that another user may start")


@pytest.fixture
def home() -> Iterator[Path]:
    """A folder an ordinary user reaches and owns: not below one that is closed to all but us."""
    with tempfile.TemporaryDirectory() as folder:
        if os.geteuid() == 0:
            os.chown(folder, ORDINARY, ORDINARY)
        yield Path(folder)


@pytest.mark.rootless
def test_an_ordinary_users_containers(python: str, home: Path, tmp_path: Path) -> None:
    secret = tmp_path / "of-the-machine"
    secret.touch()
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = str(server.getsockname()[1])
        done = as_ordinary_user(python, str(SESSION), str(home / "run"), port, str(secret))
    assert done.returncode == 0, done.stderr
    seen = json.loads(done.stdout)
    assert seen["who"] == [0, "0\nCapEff:\t00000000a80425fb\n", ""]
    assert seen["secret"] == [0, "400 0\n***", ""]
    assert int(seen["files"][1]) < 10
    assert [name for name, result in seen.items() if name.startswith("loopback") and result[0] != 1] == []
    assert "ConnectionRefusedError" in seen["neighbour"][2]
    assert seen["other user"] == [0, "1000\n", ""] or "user 1000: uid 1000 does not exist in this rootless session" in seen["other user"]
    assert seen["devices"][1] == "null\n"
    assert seen["left"] == []
