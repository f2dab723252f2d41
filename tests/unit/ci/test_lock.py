from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from ci.machine import lock
from pipelines.config.lock import read_lock

if TYPE_CHECKING:
    from pathlib import Path

ENTRY = lock.Locked(reference=f"localhost:5000/x@sha256:{'1' * 64}", origin="built", fixture=True, key="1-abc")


def test_what_is_written_is_read_by_us_and_by_the_configuration(tmp_path: Path) -> None:
    lock.write([lock.path(tmp_path)], {"x": ENTRY})
    assert lock.read(lock.path(tmp_path)) == {"x": ENTRY}
    read = read_lock(tmp_path)["x"]
    assert (read.reference, read.origin, read.fixture) == (ENTRY.reference, "built", True)


@pytest.mark.parametrize("text", ["", "{}", "[]", '{"images": []}', '{"images": {"x": {"reference": 1}}}', "\x00"])
def test_a_file_that_is_not_a_lock_counts_as_none(tmp_path: Path, text: str) -> None:
    file = tmp_path / "images.lock"
    file.write_text(text)
    assert lock.read(file) == {}
