"""An ordinary user, made for the test: by becoming one when the tests run as root, else whoever runs them."""

from __future__ import annotations

import json
import os
import pwd
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.contract.conftest import image, registry  # noqa: F401 - fixtures

if TYPE_CHECKING:
    from collections.abc import Iterator

REPOSITORY = Path(__file__).parents[2]
BECOME = Path(__file__).with_name("become.py")
MANY, ONE = "{uid}:{first}:65536\n", ""


@dataclass(frozen=True)
class User:
    """Runs Python as an ordinary user.

    Attributes:
        uid: nobody else's.
        home: theirs.
    """

    uid: int
    home: Path

    def python(
        self, *words: str, subordinate: str = MANY, tun: bool = True, masked: bool = False, **environ: str
    ) -> subprocess.CompletedProcess[str]:
        """Run this Python with `words`.

        Args:
            words: arguments.
            subordinate: what /etc/subuid and /etc/subgid say.
            tun: whether /dev/net/tun can be opened.
            masked: whether part of /proc is hidden, as in a container.
            environ: variables beside the usual ones.
        """
        job = {
            "uid": self.uid,
            "argv": [sys.executable, *words],
            "environ": self._environ() | environ,
            "cwd": str(REPOSITORY),
            "needs": [sys.base_prefix, sys.prefix, str(REPOSITORY)],
            "scratch": str(self.home.parent / "scratch"),
            "subordinate": subordinate.format(uid=self.uid, first=_first_free()),
            "tun": tun,
            "masked": masked,
        }
        file = self.home.parent / "job.json"
        file.write_text(json.dumps(job))
        return subprocess.run([sys.executable, BECOME, file], capture_output=True, text=True, check=False, cwd=REPOSITORY)

    def _environ(self) -> dict[str, str]:
        kept = {name: value for name, value in os.environ.items() if name in {"PATH", "LANG", "PYTHONPATH"}}
        return kept | {"HOME": str(self.home), "TMPDIR": str(self.home), "PYTHONDONTWRITEBYTECODE": "1"}


def _first_free() -> int:
    """The first of 65,536 ids nobody was given."""
    taken = [int(line.split(":")[1]) + int(line.split(":")[2]) for line in _lines("/etc/subuid")]
    return max([*taken, 300_000])


def _lines(path: str) -> list[str]:
    return Path(path).read_text().split() if Path(path).exists() else []


@pytest.fixture
def user() -> Iterator[User]:
    """An ordinary user with an empty home."""
    if os.geteuid() != 0:
        pytest.skip("needs root, to become an ordinary user")
    uid = next(uid for uid in range(47_617, 60_000) if not _known(uid))
    folder = Path(tempfile.mkdtemp(prefix="lockgate-user-"))
    folder.chmod(0o755)
    (folder / "scratch").mkdir()
    (folder / "home").mkdir()
    os.chown(folder / "home", uid, uid)
    yield User(uid, folder / "home")
    shutil.rmtree(folder)


def _known(uid: int) -> bool:
    try:
        pwd.getpwuid(uid)
    except KeyError:
        return False
    return True


@pytest.fixture
def sub_ids() -> None:
    if shutil.which("newuidmap") is None or not Path("/etc/subuid").exists():
        pytest.skip("needs newuidmap and /etc/subuid (package uidmap)")
