from __future__ import annotations

import shutil
import subprocess
from typing import TYPE_CHECKING

import pytest

from pipelines.engine.embedded.store.objects.workspace import unrelated_subfolders
from pipelines.engine.embedded.store.store import Store

if TYPE_CHECKING:
    from pathlib import Path


def attributes(folder: Path) -> str:
    if shutil.which("lsattr") is None:
        pytest.skip("needs lsattr")
    done = subprocess.run(["lsattr", "-d", folder], capture_output=True, text=True, check=False)
    if done.returncode:
        pytest.skip("this file system has no such attributes")
    return done.stdout.split()[0]


def test_folders_of_a_session_are_spread(tmp_path: Path) -> None:
    if "e" not in attributes(tmp_path):
        pytest.skip("not ext4")
    with Store.open(tmp_path / "store", rootless=True):
        (session,) = (tmp_path / "store/tmp").iterdir()
        assert "T" in attributes(session)


def test_a_file_system_that_cannot_is_left_alone() -> None:
    """The refusal of the file system is not raised."""
    from pathlib import Path

    unrelated_subfolders(Path("/proc/self"))
