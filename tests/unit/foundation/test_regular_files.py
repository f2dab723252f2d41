from __future__ import annotations

import errno
import os
import socket
import threading
from pathlib import Path

import pytest

from pipelines.foundation.regular_files import NotRegularError, open_regular, read_bytes, read_named, read_text


def open_descriptors() -> int:
    return len([*Path("/proc/self/fd").iterdir()])


@pytest.fixture(params=["pipe", "socket", "device", "folder", "link"])
def special(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    path: Path = tmp_path / request.param
    match request.param:
        case "pipe":
            os.mkfifo(path)
        case "socket":
            with socket.socket(socket.AF_UNIX) as listening:
                listening.bind(str(path))
        case "device":
            path.symlink_to("/dev/zero")
        case "folder":
            path.mkdir()
        case _:
            path.symlink_to(tmp_path)
    return path


@pytest.mark.parametrize("flags", [os.O_RDONLY, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, os.O_RDWR])
@pytest.mark.parametrize("follow", [True, False])
def test_only_a_regular_file_is_opened(special: Path, flags: int, *, follow: bool) -> None:
    before = open_descriptors()
    with pytest.raises(NotRegularError, match="not a regular file but"):
        open_regular(special, flags, follow=follow)
    assert open_descriptors() == before


def test_a_link_is_followed_only_where_that_is_asked(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    (tmp_path / "link").symlink_to("file")
    assert read_bytes(tmp_path / "link") == b"x"
    with pytest.raises(NotRegularError) as refused:
        read_bytes(tmp_path / "link", follow=False)
    assert refused.value.errno == errno.ELOOP


def test_a_file_is_made_with_its_mode_and_emptied_where_asked(tmp_path: Path) -> None:
    os.close(open_regular(tmp_path / "new", os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
    assert (tmp_path / "new").stat().st_mode & 0o777 == 0o600
    (tmp_path / "new").write_text("old")
    os.close(open_regular("new", os.O_WRONLY | os.O_TRUNC, dir_fd=os.open(tmp_path, os.O_RDONLY)))
    assert read_text(tmp_path / "new") == ""


def test_what_is_not_there_is_said_as_always(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        open_regular(tmp_path / "none")


def test_a_pipe_that_a_person_named_is_read_to_its_end() -> None:
    reader, writer = os.pipe()

    def write() -> None:
        os.write(writer, b"x" * 100_000)
        os.close(writer)

    thread = threading.Thread(target=write)
    thread.start()
    try:
        assert read_named(f"/dev/fd/{reader}") == b"x" * 100_000
    finally:
        thread.join()
        os.close(reader)


@pytest.mark.parametrize("written", [b"", b"half"])
def test_a_pipe_whose_writer_does_not_end_is_given_up(written: bytes) -> None:
    reader, writer = os.pipe()
    os.write(writer, written)
    with pytest.raises(TimeoutError, match=r"has not ended after 0\.2 s"):
        read_named(f"/dev/fd/{reader}", deadline_s=0.2)
    os.close(reader)
    os.close(writer)


def test_a_named_pipe_without_a_writer_is_given_up(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(TimeoutError):
        read_named(tmp_path / "pipe", deadline_s=0.2)


def test_the_null_device_is_an_empty_file_and_no_other_device_is_read() -> None:
    assert read_named("/dev/null") == b""
    with pytest.raises(NotRegularError, match="a character device"):
        read_named("/dev/zero")
