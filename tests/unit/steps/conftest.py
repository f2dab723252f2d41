from __future__ import annotations

import datetime as dt
import subprocess
from typing import TYPE_CHECKING

import pytest

from pipelines.model import Project, Registry, Source
from pipelines.steps.common.service_spec import ServiceSpec
from pipelines.steps.definition import StepContext
from pipelines.steps.image.spec import ImageSpec, ImageTarget
from pipelines.steps.perf.spec import PerfSpec
from pipelines.steps.publish.spec import PublishSpec
from pipelines.steps.scan.spec import ScanSpec
from pipelines.steps.test.spec import TestSpec
from tests.projects import project_with

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

NOW = dt.datetime(2026, 6, 15, 12, 0, tzinfo=dt.UTC)
REVISION = "0123456789abcdef0123456789abcdef01234567"


@pytest.fixture
def source() -> Source:
    return Source(
        root="/project",
        revision=REVISION,
        branch="main",
        version="1.4.0",
        created="2026-06-01T10:00:00+00:00",
        remote="https://example.com/shop.git",
    )


@pytest.fixture
def project(tmp_path: Path) -> Project:
    shop = ServiceSpec(image="shop", port=8000, health="/healthz")
    return project_with(
        name="shop",
        root=tmp_path,
        registry=Registry(url="registry.example.com/team"),
        images={"shop": ImageSpec(name="shop", target="runtime", base="python"), "my-tool": ImageSpec(name="my-tool")},
        tests={
            "unit": TestSpec(name="unit", image=ImageTarget(name="shop", target="test"), command=("pytest", "-q")),
            "integration": TestSpec(
                name="integration",
                image=ImageTarget(name="shop", target="test"),
                command=("pytest",),
                services={"shop": shop, "redis": ServiceSpec(image="redis:7", port=6379), "tool": ServiceSpec(image="my-tool", port=1)},
            ),
        },
        scan=ScanSpec(),
        perf={"checkout": PerfSpec(name="checkout", script="perf/checkout.js", service=shop)},
        publish=PublishSpec(),
    )


@pytest.fixture
def context(tmp_path: Path) -> StepContext:
    return StepContext(id="test.unit", run_id="run-2", folder=tmp_path / "test.unit")


@pytest.fixture
def git(tmp_path: Path) -> Callable[..., str]:
    """Runs git in a new repository at `tmp_path / "repo"`, cut off from the settings of whoever runs the tests."""
    repo = tmp_path / "repo"
    repo.mkdir()
    environ = {
        "PATH": "/usr/local/bin:/usr/bin:/bin",
        "HOME": str(tmp_path),
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_AUTHOR_NAME": "a",
        "GIT_AUTHOR_EMAIL": "a@example.com",
        "GIT_COMMITTER_NAME": "a",
        "GIT_COMMITTER_EMAIL": "a@example.com",
        "GIT_AUTHOR_DATE": "2026-02-03T04:05:06Z",
        "GIT_COMMITTER_DATE": "2026-02-03T04:05:06Z",
    }

    def run(*arguments: str) -> str:
        return subprocess.run(["git", *arguments], cwd=repo, env=environ, check=True, capture_output=True, text=True).stdout.strip()

    run("init", "--quiet", "--initial-branch=main")
    return run
