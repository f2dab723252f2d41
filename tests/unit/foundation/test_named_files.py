from __future__ import annotations

import os
import socket
import stat
import threading
from pathlib import Path

import pytest

from pipelines.foundation.named_files import write_named, writing_named


def test_a_new_file_and_a_changed_one_keep_their_permissions(tmp_path: Path) -> None:
    path = tmp_path / "out"
    write_named(path, b"1")
    assert stat.S_IMODE(path.stat().st_mode) == 0o644
    path.chmod(0o600)
    write_named(path, b"2")
    assert (path.read_bytes(), stat.S_IMODE(path.stat().st_mode)) == (b"2", 0o600)
    with writing_named(path, mode=0o755) as file:
        file.write(b"3")
    assert stat.S_IMODE(path.stat().st_mode) == 0o755


@pytest.mark.parametrize("target", ["real", "missing"])
def test_a_link_stays_one_and_its_target_is_written(tmp_path: Path, target: str) -> None:
    (tmp_path / "real").write_text("old and longer")
    (tmp_path / "link").symlink_to(target)
    write_named(tmp_path / "link", b"new")
    assert ((tmp_path / "link").is_symlink(), (tmp_path / target).read_bytes()) == (True, b"new")


def test_all_names_of_a_file_show_what_was_written(tmp_path: Path) -> None:
    (tmp_path / "one").write_text("old and longer")
    (tmp_path / "two").hardlink_to(tmp_path / "one")
    write_named(tmp_path / "one", b"new")
    assert (tmp_path / "two").read_bytes() == b"new"


def test_a_device_is_written_into(tmp_path: Path) -> None:
    (tmp_path / "null").symlink_to("/dev/null")
    write_named(tmp_path / "null", b"gone")
    assert ((tmp_path / "null").is_symlink(), stat.S_ISCHR((tmp_path / "null").stat().st_mode)) == (True, True)
    with pytest.raises(OSError, match="No space left"):
        write_named(tmp_path / "../../../../../../../../../dev/full", b"x")


@pytest.mark.root
def test_a_device_node_is_not_replaced(tmp_path: Path) -> None:
    os.mknod(tmp_path / "null", 0o666 | stat.S_IFCHR, os.makedev(1, 3))
    write_named(tmp_path / "null", b"gone")
    assert (tmp_path / "null").is_char_device()
    assert [one.name for one in tmp_path.iterdir()] == ["null"]


def test_a_pipe_is_written_to_its_reader(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    got: list[bytes] = []
    thread = threading.Thread(target=lambda: got.append((tmp_path / "pipe").read_bytes()))
    thread.start()
    write_named(tmp_path / "pipe", b"x" * 300_000)
    thread.join()
    assert (got, (tmp_path / "pipe").is_fifo()) == ([b"x" * 300_000], True)


def test_the_descriptor_of_a_shell_is_written_into() -> None:
    reader, writer = os.pipe()
    write_named(Path(f"/dev/fd/{writer}"), b"text")
    assert os.read(reader, 100) == b"text"
    os.close(reader)
    os.close(writer)


def test_a_folder_and_a_socket_are_refused(tmp_path: Path) -> None:
    with pytest.raises(IsADirectoryError):
        write_named(tmp_path, b"")
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(tmp_path / "socket"))
        with pytest.raises(OSError, match="No such device"):
            write_named(tmp_path / "socket", b"")
    assert (tmp_path / "socket").is_socket()


def test_a_failure_leaves_the_old_content(tmp_path: Path) -> None:
    (tmp_path / "out").write_text("old")
    with pytest.raises(TypeError), writing_named(tmp_path / "out") as file:
        file.writelines([b"half", "no bytes"])  # type: ignore[list-item]
    assert (tmp_path / "out").read_text() == "old"
