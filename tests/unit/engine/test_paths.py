from __future__ import annotations

from pathlib import Path

import pytest

from pipelines.engine.embedded.paths import cache_dir, run_dir, store_dir


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


def test_a_store_may_be_named() -> None:
    assert store_dir({"LOCKGATE_STORE": "/disk/store"}, rootless=True) == Path("/disk/store")
