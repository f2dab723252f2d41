from __future__ import annotations

from typing import IO, TYPE_CHECKING

import pytest

from pipelines.foundation.files import replace_bytes, replace_text, replacing

if TYPE_CHECKING:
    from pathlib import Path


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
