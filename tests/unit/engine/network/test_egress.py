"""Helpers that are not there, or do not work, leave nothing open."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from pipelines.engine.embedded.network import egress

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    Start = Callable[[Path, str], Awaitable[egress.Egress]]


def open_files() -> dict[str, str]:
    found = {}
    for entry in Path("/proc/self/fd").iterdir():
        try:
            found[entry.name] = str(entry.readlink())
        except OSError:  # the folder's own, closed meanwhile
            continue
    return {name: target for name, target in found.items() if not target.startswith("/proc/")}


def without_processes(files: dict[str, str]) -> dict[str, str]:
    """Without those of processes: they are closed when the loop gets to hear of the end."""
    return {fd: what for fd, what in files.items() if "pidfd" not in what}


@pytest.mark.parametrize("start", [egress._pasta, egress._slirp4netns])
async def test_a_helper_that_is_not_installed_leaves_no_descriptor(start: Start, tmp_path: Path) -> None:
    before = open_files()
    with pytest.raises(FileNotFoundError, match="is not installed"):
        await start(tmp_path / "netns", str(tmp_path))
    assert open_files() == before


@pytest.mark.parametrize(("start", "name"), [(egress._pasta, "pasta"), (egress._slirp4netns, "slirp4netns")])
async def test_a_helper_that_fails_says_why_and_leaves_no_descriptor(start: Start, name: str, tmp_path: Path) -> None:
    program = tmp_path / name
    program.write_text("#!/bin/sh\necho it rains >&2\nexit 3\n")
    program.chmod(0o755)
    with pytest.raises(OSError, match=f"{name}: it rains"):  # the first thread and child watcher are made here
        await start(tmp_path / "netns", f"{tmp_path}{os.pathsep}/bin")
    before = open_files()
    with pytest.raises(OSError, match=f"{name}: it rains"):
        await start(tmp_path / "netns", f"{tmp_path}{os.pathsep}/bin")
    after = open_files()
    assert without_processes(after) == without_processes(before)
