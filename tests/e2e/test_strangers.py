"""A project without any file that set-up wrote into it, as strangers have."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING, Any

import pytest

from tests.e2e.conftest import SHOP, Checkout

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = [pytest.mark.engine, pytest.mark.root, pytest.mark.registry, pytest.mark.timeout(300)]


@pytest.fixture
def bare(tmp_path: Path) -> Path:
    root = tmp_path / "shop"
    shutil.copytree(SHOP, root, ignore=shutil.ignore_patterns(".lockgate", "lockgate.local.toml", "__pycache__", ".pytest_cache"))
    return root


def test_a_bare_copy_of_the_shop_finds_images_and_settings_but_no_permission(
    bare: Path, stranger: dict[str, str], images: dict[str, Any]
) -> None:
    if not images["trivy-db"]["fixture"]:
        pytest.skip("this machine has a real database")
    ended = Checkout(bare, stranger).run("image", "test", "perf", "scan")
    assert ended.code == 1, ended.stderr
    assert {step["status"] for name, step in ended.steps.items() if not name.startswith(("scan.", "publish."))} == {"passed"}
    scans = [step for name, step in ended.steps.items() if name.startswith("scan.")]
    assert [(step["status"], step["verdict"]) for step in scans] == [("failed", "no-data")] * 2
    assert "ci/setup" not in ended.stdout + ended.stderr


def test_where_nobody_set_anything_up_the_official_images_are_asked_for_and_the_message_says_what_to_do(
    make: Any, stranger: dict[str, str], tmp_path: Path
) -> None:
    project = make(lockgate_dot_toml='[project]\nname = "x"\n[images.x]\nbase = "ours"\n', Dockerfile="ARG BASE\nFROM $BASE\n")
    (project.root / ".lockgate/images.lock").unlink()
    ended = Checkout(project.root, {**stranger, "LOCKGATE_CONFIG_DIRS": str(tmp_path / "none")}).run()
    assert ended.code == 4
    assert "known names: k6, python, trivy, trivy-db" in ended.stderr
    assert "lockgate images use ours REGISTRY/NAME:TAG" in ended.stderr
    assert "ci/setup" not in ended.stderr
