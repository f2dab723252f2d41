"""git as a tool on files of ours: no configuration counts, neither the machine's nor a repository's own."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from pipelines.engine.embedded.errors import EmbeddedUnavailable, ToolError
from pipelines.foundation.process.blocking import run_blocking
from pipelines.foundation.process.result import OutputTooLarge

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pipelines.foundation.process.result import Completed

MOST_OUTPUT = 1 << 30
"""Bytes of a patch, which is held in memory."""


def run_git(arguments: Sequence[str], folder: Path, *, stdin: bytes = b"") -> Completed:
    """Run git in `folder`, as if that were the work tree of an empty repository. Blocks: call it in a thread.

    Files of git in the folder (`.git`, `.gitattributes` with filters) are ignored: they may name programs to run.

    Raises:
        EmbeddedUnavailable: git is not installed.
        ToolError: it printed more than a gibibyte.
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
            made = run_blocking(["git", "init", "--quiet"], env=environment, cwd=Path(home))
            if made.code:
                return made
            return run_blocking(["git", *arguments], env=environment, cwd=folder, stdin=stdin, stdout_limit=MOST_OUTPUT)
        except FileNotFoundError:
            raise EmbeddedUnavailable("git makes and applies patches, and it is not installed: install the package git") from None
        except OutputTooLarge as error:
            raise ToolError(f"a patch: {error}") from None
