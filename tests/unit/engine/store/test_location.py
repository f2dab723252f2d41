from __future__ import annotations

import os
from pathlib import Path

import pytest

from pipelines.engine.embedded.errors import InvalidInput
from pipelines.engine.embedded.store.location import default_budget, default_root, host_uid


def test_the_store_is_in_the_users_cache_by_mode_and_user(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("LOCKGATE_STORE", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", "/cache")
    assert default_root(rootless=True) == Path(f"/cache/lockgate/store-rootless-{host_uid()}")
    monkeypatch.delenv("XDG_CACHE_HOME")
    monkeypatch.setenv("HOME", "/home/dev")
    assert default_root(rootless=False) == Path(f"/home/dev/.cache/lockgate/store-root-{host_uid()}")


def test_it_can_be_put_elsewhere(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("LOCKGATE_STORE", "disk")
    monkeypatch.chdir(tmp_path)
    assert default_root(rootless=False).parent == tmp_path / "disk"


def test_outside_of_user_namespaces_the_user_is_the_user() -> None:
    if Path("/proc/self/uid_map").read_text(encoding="ascii").split() == ["0", "0", "4294967295"]:
        assert host_uid() == os.getuid()


@pytest.mark.parametrize(("text", "size"), [("500MB", 5 * 10**8), ("20GiB", 20 << 30), ("1.5k", 1500), ("42", 42), (" 2 tb ", 2 * 10**12)])
def test_budgets_are_sizes(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, text: str, size: int) -> None:
    monkeypatch.setenv("LOCKGATE_STORE_BUDGET", text)
    assert default_budget(tmp_path) == size


def test_a_budget_that_is_no_size_is_refused(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("LOCKGATE_STORE_BUDGET", "lots")
    with pytest.raises(InvalidInput, match="LOCKGATE_STORE_BUDGET='lots' is not a size: write for example 20GiB"):
        default_budget(tmp_path)


def test_without_a_word_it_is_a_quarter_of_the_disk(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("LOCKGATE_STORE_BUDGET", raising=False)
    disk = os.statvfs(tmp_path)
    assert default_budget(tmp_path / "not" / "yet") == disk.f_frsize * disk.f_blocks // 4
