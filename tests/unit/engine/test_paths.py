from __future__ import annotations

from pathlib import Path

import pytest

from pipelines.engine.embedded.paths import cache_dir, host_uid, run_dir, store_dir


@pytest.mark.parametrize(
    ("environ", "folder"),
    [
        ({"HOME": "/home/dev"}, "/home/dev/.cache/lockgate"),
        ({"HOME": "/home/dev", "XDG_CACHE_HOME": "/fast"}, "/fast/lockgate"),
        ({"HOME": "/home/dev", "XDG_CACHE_HOME": "relative"}, "/home/dev/.cache/lockgate"),  # the specification: to be ignored
        ({"HOME": "/home/dev", "XDG_CACHE_HOME": "/fast", "LOCKGATE_CACHE": "/own"}, "/own"),
        ({}, "/.cache/lockgate"),
    ],
)
def test_where_the_cache_is(environ: dict[str, str], folder: str) -> None:
    assert cache_dir(environ) == Path(folder)
    assert run_dir(environ) == Path(folder) / "run"


def test_a_store_is_for_one_mode_and_user() -> None:
    environ = {"LOCKGATE_CACHE": "/own"}
    one, other = (store_dir(environ, rootless=rootless) for rootless in (False, True))
    assert one != other
    assert one.parent == other.parent == Path("/own")


def test_stores_can_be_put_elsewhere_and_stay_apart() -> None:
    environ = {"LOCKGATE_STORE": "/disk", "LOCKGATE_CACHE": "/own"}
    assert store_dir(environ, rootless=True) == Path(f"/disk/store-rootless-{host_uid()}")
    assert store_dir(environ) == Path(f"/disk/store-root-{host_uid()}")


def test_a_relative_place_of_the_store_starts_here(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("LOCKGATE_STORE", "disk")
    monkeypatch.chdir(tmp_path)
    assert store_dir().parent == tmp_path / "disk"
