from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from ci.machine import lock
from pipelines.config.lock import put, read_lock
from pipelines.model import LockedImage

if TYPE_CHECKING:
    from pathlib import Path

ENTRY = lock.Locked(reference=f"localhost:5000/x@sha256:{'1' * 64}", origin="built", fixture=True, key="1-abc")


def test_what_is_written_is_read_by_us_and_by_the_configuration(tmp_path: Path) -> None:
    lock.write([lock.path(tmp_path)], {"x": ENTRY})
    assert lock.read(lock.path(tmp_path)) == {"x": ENTRY}
    read = read_lock(lock.path(tmp_path))["x"]
    assert (read.reference, read.origin, read.fixture) == (ENTRY.reference, "built", True)


def test_entries_and_keys_that_others_wrote_are_kept(tmp_path: Path) -> None:
    file = tmp_path / "images.lock"
    put(file, {"k6": LockedImage(name="k6", reference=f"r.example/k6@sha256:{'2' * 64}", origin="chosen")})
    lock.write([file], {**lock.read(file), "x": ENTRY})
    assert lock.read(file)["k6"].origin == lock.CHOSEN
    assert set(read_lock(file)) == {"k6", "x"}


@pytest.mark.parametrize("text", ["", "{}", "[]", '{"images": []}', '{"images": {"x": {"reference": 1}}}', "\x00"])
def test_a_file_that_is_not_a_lock_counts_as_none(tmp_path: Path, text: str) -> None:
    file = tmp_path / "images.lock"
    file.write_text(text)
    assert lock.read(file) == {}
