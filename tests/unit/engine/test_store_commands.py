from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pipelines.engine.embedded.paths import host_uid
from pipelines.engine.embedded.store_commands import run_store_command

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("LOCKGATE_STORE", str(tmp_path / "store"))
    return tmp_path / "store" / f"store-root-{host_uid()}"


def test_info_says_where_and_what(store: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run_store_command("info", None, rootless=False) == 0
    said = dict(line.split(maxsplit=1) for line in capsys.readouterr().out.splitlines() if not line.startswith("in use"))
    assert said["store"] == str(store)
    assert said["mode"] == "root"
    assert said["used"].startswith("0 B")
    assert said["results"] == "0"


@pytest.mark.parametrize("action", ["gc", "prune"])
def test_collecting_says_what_went(store: Path, action: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run_store_command(action, None, rootless=False) == 0
    assert capsys.readouterr().out == "freed     0 B\nkept      0 B\n"


def test_a_cache_goes_out_and_in(store: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run_store_command("export_cache", tmp_path / "out", rootless=False) == 0
    assert run_store_command("import_cache", tmp_path / "out", rootless=False) == 0
    assert [line.split()[:3] for line in capsys.readouterr().out.splitlines()] == [
        ["exported", "0", "results;"],
        ["imported", "0", "results;"],
    ]
