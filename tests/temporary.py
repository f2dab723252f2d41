"""The temporary folder of one run of the tests: its own, and gone when the run ends, whatever the run before left.

pytest by itself keeps the folders of three runs (gigabytes of layers), and removes older ones by a recursive function that a tree of more
than a thousand folders ends. Whoever wants to look at the files afterwards says `--basetemp=FOLDER`.
"""

from __future__ import annotations

import fcntl
import os
import subprocess
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import pytest

PREFIX = "lockgate-tests-"
YOUNG_S = 60.0  # a run that begins makes its folder first and locks it then


@dataclass(frozen=True)
class RunFolder:
    """A folder that is locked as long as its run lives.

    Attributes:
        path: made for this run; only this user may enter.
        lock: an open descriptor of the folder. The kernel lets go of the lock when the process ends, however it ends.
    """

    path: Path
    lock: int

    def close(self) -> None:
        """Remove the folder and all that is in it."""
        remove_tree(self.path)
        os.close(self.lock)


def make_run_folder(root: Path) -> RunFolder:
    """Make a folder in `root` for the run that begins, and remove what runs left that were killed."""
    remove_leftovers(root)
    path = Path(tempfile.mkdtemp(prefix=PREFIX, dir=root))
    lock = os.open(path, os.O_RDONLY)
    fcntl.flock(lock, fcntl.LOCK_EX)
    return RunFolder(path, lock)


def remove_leftovers(root: Path, young_s: float = YOUNG_S) -> None:
    """Remove the folders in `root` of runs of this user that no longer live."""
    for path in root.glob(f"{PREFIX}*"):
        try:
            lock = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_DIRECTORY)
        except OSError:
            continue  # another run removed it, or it is another user's
        try:
            found = os.fstat(lock)
            if found.st_uid == os.geteuid() and found.st_mtime < time.time() - young_s:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                remove_tree(path)
        except BlockingIOError:
            pass  # its run lives
        finally:
            os.close(lock)


def remove_tree(path: Path) -> None:
    """Remove a tree of any depth, as far as this user may; what is mounted below it stays."""
    subprocess.run(["rm", "-rf", "--one-file-system", "--", str(path)], stderr=subprocess.DEVNULL, check=False)


@pytest.hookimpl(tryfirst=True)
def pytest_configure(config: pytest.Config) -> None:
    """Give the run a folder before pytest chooses one; the workers of pytest-xdist get parts of it."""
    if config.option.basetemp is not None or hasattr(config, "workerinput"):
        return
    folder = make_run_folder(Path(os.environ.get("PYTEST_DEBUG_TEMPROOT") or tempfile.gettempdir()).resolve())
    config.option.basetemp = str(folder.path / "t")
    config.add_cleanup(folder.close)
