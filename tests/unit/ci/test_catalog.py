from __future__ import annotations

import re
import shutil
from typing import TYPE_CHECKING

import pytest

from ci.machine import catalog
from ci.machine.recipes import RECIPES

if TYPE_CHECKING:
    from pathlib import Path

DIGEST = f"sha256:{'0' * 64}"


@pytest.mark.parametrize(
    ("reference", "pinned"),
    [
        (f"docker.io/library/python:3.11@{DIGEST}", f"docker.io/library/python@{DIGEST}"),
        (f"localhost:5000/python@{DIGEST}", f"localhost:5000/python@{DIGEST}"),
        (f"localhost:5000/python:1@{DIGEST}", f"localhost:5000/python@{DIGEST}"),
        ("ghcr.io/aquasecurity/trivy-db:2", "ghcr.io/aquasecurity/trivy-db:2"),
    ],
)
def test_a_digest_replaces_the_tag(reference: str, pinned: str) -> None:
    assert catalog.pinned(reference) == pinned


def test_every_image_of_this_repository_can_be_pulled_or_built(checkout: Path) -> None:
    specs = catalog.load(checkout)
    assert set(specs) == {"python", "trivy", "k6", "trivy-db"}
    for name, spec in specs.items():
        assert spec.recipe["kind"] in RECIPES
        assert name == "trivy-db" or re.fullmatch(r"[\w./-]+:[\w.-]+@sha256:[0-9a-f]{64}", spec.official)
    assert [name for name, spec in specs.items() if spec.fixture] == ["trivy-db"]


def test_versions_built_are_the_versions_pulled(checkout: Path) -> None:
    for name, spec in catalog.load(checkout).items():
        assert f":{spec.version}" in spec.official
        if spec.recipe["kind"] == "go":
            module = spec.recipe["package"].partition("/cmd/")[0]
            assert f"{module} v{spec.version} " in (spec.sources / "go.mod").read_text().replace("\n", " "), name


@pytest.mark.parametrize(
    "changed",
    ["ci/images.toml", "pipelines/config/images.toml", "ci/tools/trivy/go.sum", "ci/machine/recipes/gotool.py", "ci/machine/oci.py"],
)
def test_a_key_changes_with_all_that_decides_the_image(checkout: Path, tmp_path: Path, changed: str) -> None:
    shutil.copytree(checkout / "ci", tmp_path / "ci", ignore=shutil.ignore_patterns("__pycache__"))
    (tmp_path / "pipelines/config").mkdir(parents=True)
    shutil.copy(checkout / "pipelines/config/images.toml", tmp_path / "pipelines/config")
    before = catalog.load(tmp_path)["trivy"].key
    text = (tmp_path / changed).read_text()
    other = text.replace("source_date_epoch = 1", "source_date_epoch = 2").replace("/trivy:0", "/trivy:1")
    (tmp_path / changed).write_text(other if "images" in changed else f"{text}\n")
    assert catalog.load(tmp_path)["trivy"].key != before
