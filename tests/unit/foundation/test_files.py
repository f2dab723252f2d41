from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import IO

import pytest

from pipelines.foundation.files import replace_bytes, replace_text, replacing


def test_a_file_is_replaced_as_a_whole(tmp_path: Path) -> None:
    path = tmp_path / "state.json"
    replace_text(path, "old")
    assert replace_text(path, "né\udc80", errors="surrogateescape") == path
    assert path.read_bytes() == b"n\xc3\xa9\x80"
    assert path.stat().st_mode & 0o777 == 0o644
    assert replace_bytes(path, b"secret", mode=0o600).stat().st_mode & 0o777 == 0o600
    assert list(tmp_path.iterdir()) == [path]


def fail_after_writing(file: IO[bytes]) -> None:
    file.write(b"half")
    raise ValueError("enough")


def test_an_error_leaves_what_was_there(tmp_path: Path) -> None:
    path = replace_text(tmp_path / "state.json", "old")
    with pytest.raises(ValueError, match="enough"), replacing(path) as file:
        fail_after_writing(file)
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_a_name_as_long_as_names_may_be(tmp_path: Path) -> None:
    path = tmp_path / ("n" * 255)
    assert replace_text(path, "x").read_text() == "x"


def test_a_folder_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        replace_text(tmp_path / "none" / "file", "x")


KILLED = """
import os, signal, sys
from pathlib import Path
from pipelines.foundation.files import replacing
with replacing(Path(sys.argv[1])) as file:
    file.write(b"half")
    file.flush()
    os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.mark.parametrize("old", ["", "old"])
def test_a_process_that_is_killed_leaves_nothing_behind(tmp_path: Path, old: str) -> None:
    path = tmp_path / "state.json"
    if old:
        path.write_text(old)
    assert subprocess.run([sys.executable, "-c", KILLED, path], check=False).returncode == -9
    assert [(found.name, found.read_text()) for found in tmp_path.iterdir()] == ([(path.name, old)] if old else [])


def test_a_link_that_leads_nowhere_is_replaced(tmp_path: Path) -> None:
    path = tmp_path / "state.json"
    path.symlink_to("nowhere")
    assert replace_text(path, "x").read_text() == "x"
    assert not path.is_symlink()
    assert list(tmp_path.iterdir()) == [path]


def test_a_file_system_without_nameless_files() -> None:
    """Such as /proc is: there the file has a name while it is written, and none can be made."""
    with pytest.raises(OSError):  # noqa: PT011 - what the system says differs
        replace_text(Path("/proc/file"), "x")
