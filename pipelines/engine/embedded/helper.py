"""Python processes of our own, for work that would hold up the engine's: they import nothing of it but what they need."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pipelines.foundation.process.result import Completed

ANSWER = 1 << 30
"""Bytes of an answer: a list of the files of a layer, at most."""
BOOT = "import sys,json,importlib; sys.path[:]=json.loads(sys.argv[2]); importlib.import_module(sys.argv[1]).main()"


def command(module: str) -> list[str]:
    """Arguments that start an interpreter, give it this one's import path and call ``module.main()``.

    The ``site`` module is left out, which halves the start (to about 20 ms); neither PYTHON… variables nor the working directory count.
    """
    home = str(Path(__file__).parents[3])
    paths = [home, *(path for path in sys.path if path and path != home)]
    return [sys.executable, "-I", "-S", "-c", BOOT, module, json.dumps(paths)]


def run_helper(module: str, stdin: bytes, *, timeout_s: float | None = None) -> Completed:
    """Run ``module.main()`` in such a process, which reads `stdin`. Blocks.

    It stays in our session: the scheduler of a busy machine lets the first steps of a new one wait, and it starts nothing of its own.

    Raises:
        ProcessTimeout: it took longer than `timeout_s` seconds.
    """
    from pipelines.foundation.process.blocking import run_blocking

    return run_blocking(command(module), stdin=stdin, timeout_s=timeout_s, stdout_limit=ANSWER, own_session=False)
