from __future__ import annotations

import os
from pathlib import Path

import pytest

from pipelines.engine.embedded.errors import InvalidInput
from pipelines.engine.embedded.paths import host_uid
from pipelines.engine.embedded.store.space.budget import LARGEST, default_budget


def test_outside_of_user_namespaces_the_user_is_the_user() -> None:
    if Path("/proc/self/uid_map").read_text(encoding="ascii").split() == ["0", "0", "4294967295"]:
        assert host_uid() == os.getuid()


SIZES = [("500MB", 5 * 10**8), ("20GiB", 20 << 30), ("1.5k", 1500), ("42", 42), ("0", 0), (" 2 tb ", 2 * 10**12)]


@pytest.mark.parametrize(("text", "size"), SIZES)
def test_budgets_are_sizes(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, text: str, size: int) -> None:
    monkeypatch.setenv("LOCKGATE_STORE_BUDGET", text)
    assert default_budget(tmp_path) == size


def test_a_budget_that_is_no_size_is_refused(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("LOCKGATE_STORE_BUDGET", "lots")
    with pytest.raises(InvalidInput, match="LOCKGATE_STORE_BUDGET='lots' is not a size: write for example 20GiB"):
        default_budget(tmp_path)


def test_without_a_word_it_is_a_quarter_of_the_disk_and_not_without_end(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("LOCKGATE_STORE_BUDGET", raising=False)
    disk = os.statvfs(tmp_path)
    assert default_budget(tmp_path / "not" / "yet") == min(LARGEST, disk.f_frsize * disk.f_blocks // 4)
