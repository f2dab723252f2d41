"""git as a tool on files we hold: nobody's configuration counts, and none of a repository's own."""

from __future__ import annotations

import os
import subprocess
import tempfile
from typing import TYPE_CHECKING

from pipelines.engine.embedded.errors import Unavailable

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path


def run_git(arguments: Sequence[str], folder: Path, *, given: bytes = b"") -> subprocess.CompletedProcess[bytes]:
    """Run git in `folder`, as if that were the work tree of an empty repository. Blocks: call it in a thread.

    What the folder has of git's (`.git`, `.gitattributes` naming filters) is not obeyed: it may name programs to run.

    Raises:
        Unavailable: git is not installed.
    """
    with tempfile.TemporaryDirectory(prefix="lockgate-git-") as home:
        environment = {
            "PATH": os.environ.get("PATH", os.defpath),
            "HOME": home,
            "LC_ALL": "C.UTF-8",
            "GIT_CONFIG_NOSYSTEM": "1",
            "GIT_CONFIG_GLOBAL": os.devnull,
            "GIT_DIR": f"{home}/repository",
            "GIT_WORK_TREE": str(folder),
        }
        try:
            subprocess.run(["git", "init", "--quiet"], env=environment, cwd=home, check=True, capture_output=True)
            return subprocess.run(["git", *arguments], env=environment, cwd=folder, input=given, capture_output=True, check=False)
        except FileNotFoundError:
            raise Unavailable("patches are made and applied by git, which is not installed: install the package git") from None
