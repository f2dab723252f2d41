"""A run of the shop in which the engine finds everything done starts no container, and asks for little."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from tests.e2e.conftest import CHECKOUT, Checkout

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = [pytest.mark.engine, pytest.mark.root, pytest.mark.registry, pytest.mark.timeout(300)]

MOST_REQUESTS, MOST_MEMORY_MB = 40, 200


@pytest.fixture
def forgetful(shop: Checkout) -> Checkout:
    """The shop without what its first run left: nothing is taken over from there, the engine's store alone knows what was done."""
    (shop.root / ".lockgate/unchanged.json").unlink()
    shutil.rmtree(shop.root / ".lockgate/unchanged")
    return shop


def test_what_the_engine_finds_done_starts_no_container(forgetful: Checkout, tmp_path: Path) -> None:
    real = shutil.which("runc")
    if real is None:
        pytest.skip("needs runc")
    told = tmp_path / "asked"
    (tmp_path / "bin").mkdir()
    runtime = tmp_path / "bin/runc"
    runtime.write_text(f'#!/bin/sh\necho "$*" >> {told}\nexec {real} "$@"\n')
    runtime.chmod(0o755)
    watched = Checkout(forgetful.root, {**forgetful.environ, "PATH": f"{tmp_path / 'bin'}:{os.environ['PATH']}"})
    again = watched.run()
    assert again.code == 0, again.stderr
    assert {step["id"] for step in again.document["steps"] if not step["cached"]} == set()
    assert not told.exists() or " run " not in told.read_text()
    forgetful.edit("lockgate.toml", '"tests/unit"', '"tests/unit", "-k", "cart"')
    assert watched.run("test.unit").code == 0
    assert " run " in told.read_text()  # it does listen


def test_a_run_in_which_the_engine_finds_everything_asks_little_and_needs_little_memory(forgetful: Checkout, tmp_path: Path) -> None:
    figures = tmp_path / "figures.json"
    command = [sys.executable, str(CHECKOUT / "benchmarks/counted.py"), str(figures), "run", "--json"]
    subprocess.run(command, cwd=forgetful.root, env=forgetful.environ, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=True)
    found = json.loads(figures.read_text())
    assert 0 < found["requests"] <= MOST_REQUESTS
    assert 0 < found["memory_mb"] <= MOST_MEMORY_MB
    assert found["engine_memory_mb"] <= MOST_MEMORY_MB
