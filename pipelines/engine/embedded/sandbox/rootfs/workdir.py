"""The working directory of a command, made where it is missing."""

from __future__ import annotations

import contextlib
import os
import stat
from typing import TYPE_CHECKING

from pipelines.engine.embedded.errors import InvalidInput
from pipelines.engine.embedded.kernel import openat2

if TYPE_CHECKING:
    from pathlib import Path

    from pipelines.engine.embedded.sandbox.rootfs.paths import ContainerPaths

_MODE = 0o755


def make_workdir(inside: ContainerPaths, rootfs: Path, cwd: str) -> None:
    """Make the working directory, root's, where the root file system lacks it.

    Symbolic links are followed inside the root file system, also one that leads to nothing yet, as BuildKit does (executor/runcexecutor).
    What is missing in a mount is left to the runtime.

    Raises:
        InvalidInput: something else is there, or in the way.
    """
    place = inside.resolved(cwd)
    if place is None:
        return
    status = place.stat()
    if status is not None and not stat.S_ISDIR(status.st_mode):
        raise InvalidInput(f"the working directory {cwd} is not a directory")
    if status is not None or place.root != rootfs:
        return
    names = place.canonical().rel
    if not names:
        raise InvalidInput(f"the working directory {cwd} cannot be made: its symbolic links lead in a circle")
    try:
        _make(rootfs, names.split("/"))
    except OSError as error:
        raise InvalidInput(f"the working directory {cwd} cannot be made: {error.strerror}") from error


def _make(root: Path, names: list[str]) -> None:
    here = os.open(root, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        for name in names:
            with contextlib.suppress(FileExistsError):
                os.mkdir(name, _MODE, dir_fd=here)
            below = openat2(here, name, os.O_PATH | os.O_DIRECTORY | os.O_NOFOLLOW)
            os.close(here)
            here = below
    finally:
        os.close(here)
