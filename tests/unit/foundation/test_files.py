from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import IO, TYPE_CHECKING

import pytest

from pipelines.foundation.files import replace_bytes, replace_text, replacing, replacing_by_name

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractContextManager

    Replacing = Callable[[Path], AbstractContextManager[IO[bytes]]]

both_ways = pytest.mark.parametrize("way", [replacing, replacing_by_name])


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


@both_ways
def test_an_error_leaves_what_was_there(tmp_path: Path, way: Replacing) -> None:
    path = replace_text(tmp_path / "state.json", "old")
    with pytest.raises(ValueError, match="enough"), way(path) as file:
        fail_after_writing(file)
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


@both_ways
def test_a_name_as_long_as_names_may_be(tmp_path: Path, way: Replacing) -> None:
    path = tmp_path / ("n" * 255)
    with way(path) as file:
        file.write(b"x")
    assert path.read_text() == "x"


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


def draft_of_a_killed_writer(path: Path, *, age_s: float) -> Path:
    """Killed on a file system without nameless files."""
    program = KILLED.replace("replacing", "replacing_by_name")
    assert subprocess.run([sys.executable, "-c", program, path], check=False).returncode == -9
    (draft,) = set(path.parent.iterdir()) - {path}
    made = draft.stat().st_mtime - age_s
    os.utime(draft, (made, made))
    return draft


def test_with_a_name_a_file_is_replaced_as_a_whole(tmp_path: Path) -> None:
    path = replace_text(tmp_path / "state.json", "old")
    with replacing_by_name(path, mode=0o640) as file:
        file.write(b"new")
        file.flush()
        (draft,) = set(tmp_path.iterdir()) - {path}
        assert draft.name.startswith(".state.json.")
        assert draft.stat().st_mode & 0o777 == 0o600
        assert path.read_text() == "old"
    assert (path.read_text(), path.stat().st_mode & 0o777) == ("new", 0o640)
    assert list(tmp_path.iterdir()) == [path]


def test_the_draft_of_a_dead_writer_is_removed_at_the_next_write(tmp_path: Path) -> None:
    path = replace_text(tmp_path / "state.json", "old")
    draft = draft_of_a_killed_writer(path, age_s=3600)
    neighbours = [tmp_path / ".state.json.bak", tmp_path / ".other.json.1.draft"]
    for neighbour in neighbours:
        neighbour.touch()
        os.utime(neighbour, (0, 0))
    with replacing_by_name(path) as file:
        file.write(b"new")
    assert path.read_text() == "new"
    assert set(tmp_path.iterdir()) == {path, *neighbours}
    assert not draft.exists()


def test_the_draft_of_a_writer_at_work_stays(tmp_path: Path) -> None:
    """However long it takes: it is locked. One that was just made may not be locked yet."""
    path = tmp_path / "state.json"
    young = draft_of_a_killed_writer(path, age_s=0)
    with replacing_by_name(path) as slow:
        slow.write(b"slow")
        slow.flush()
        (draft,) = set(tmp_path.iterdir()) - {young}
        os.utime(draft, (0, 0))
        with replacing_by_name(path) as fast:
            fast.write(b"fast")
        assert path.read_text() == "fast"
    assert path.read_text() == "slow"
    assert set(tmp_path.iterdir()) == {path, young}


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
