"""A run of the tests depends on nothing that earlier runs left, and leaves nothing."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.temporary import PREFIX, make_run_folder, remove_leftovers, remove_tree

if TYPE_CHECKING:
    from collections.abc import Iterator

DEPTH = 1500  # Python's own removal of a tree ends at about 1,000
REPOSITORY = Path(__file__).parents[2]

MAKES_A_DEEP_TREE = """
import os

def test_deep(tmp_path):
    os.chdir(tmp_path)
    for _ in range(1500):
        os.mkdir("d")
        os.chdir("d")
    os.chdir("/")
"""


@pytest.fixture
def root(tmp_path: Path) -> Iterator[Path]:
    """A folder for temporary folders; deep trees in it are gone before pytest removes it."""
    yield tmp_path
    remove_tree(tmp_path)


def make_deep(path: Path) -> None:
    folder = os.open(path, os.O_RDONLY)
    for _ in range(DEPTH):
        os.mkdir("d", dir_fd=folder)
        inner = os.open("d", os.O_RDONLY, dir_fd=folder)
        os.close(folder)
        folder = inner
    os.close(folder)


def test_a_deep_tree_of_a_run_that_was_killed_is_removed(root: Path) -> None:
    left = root / f"{PREFIX}left"
    left.mkdir()
    make_deep(left)
    os.utime(left, (0, 0))
    folder = make_run_folder(root)
    assert list(root.iterdir()) == [folder.path]
    make_deep(folder.path)
    folder.close()
    assert list(root.iterdir()) == []


def test_the_folder_of_a_run_that_lives_stays(root: Path) -> None:
    folder = make_run_folder(root)
    os.utime(folder.path, (0, 0))
    remove_leftovers(root)
    assert folder.path.exists()
    os.close(folder.lock)
    remove_leftovers(root)
    assert not folder.path.exists()


def test_what_is_young_or_a_link_or_not_ours_stays(root: Path) -> None:
    (root / "elsewhere").mkdir()
    os.utime(root / "elsewhere", (0, 0))
    (root / f"{PREFIX}link").symlink_to(root / "elsewhere")
    (root / f"{PREFIX}young").mkdir()
    (root / f"{PREFIX}file").write_text("")
    os.utime(root / f"{PREFIX}file", (0, 0))
    before = sorted(root.iterdir())
    remove_leftovers(root)
    assert sorted(root.iterdir()) == before


def test_pytest_run_four_times_leaves_nothing(root: Path) -> None:
    (root / "temporary").mkdir()
    (root / "test_deep.py").write_text(MAKES_A_DEEP_TREE)
    words = ["-m", "pytest", "-q", "-p", "tests.temporary", "-p", "no:cacheprovider", "--rootdir", str(root), str(root / "test_deep.py")]
    for _ in range(4):
        done = subprocess.run(
            [sys.executable, *words],
            cwd=REPOSITORY,
            env={**os.environ, "PYTEST_DEBUG_TEMPROOT": str(root / "temporary"), "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        assert list((root / "temporary").iterdir()) == []
