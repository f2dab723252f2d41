"""Whole runs on a real embedded engine, with a store of the test's own."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from pipelines.flow.dependencies import real_dependencies
from pipelines.flow.progress import NullSink
from pipelines.flow.request import RunRequest
from pipelines.flow.run import explain_project, run_project
from pipelines.model import EngineKind, EngineSpec, LockedImage, Project, Run
from pipelines.steps.image.spec import ImageSpec
from tests.projects import project_with

if TYPE_CHECKING:
    from pipelines.flow.stop import Stop

LOCK = Path(__file__).parents[3] / ".lockgate" / "images.lock"


class LiveOutput(NullSink):
    """Keeps what commands printed while they ran, and calls `on_line` for every line."""

    def __init__(self) -> None:
        self.lines: list[tuple[str, str]] = []
        self.unfinished: list[tuple[str, str]] = []
        self.engine: list[str] = []

    def step_progress(self, step_id: str, line: str, *, whole: bool) -> None:
        (self.lines if whole else self.unfinished).append((step_id, line))

    def engine_output(self, text: str) -> None:
        self.engine.append(text)


@dataclass
class Site:
    """A project on disk."""

    root: Path
    locked: dict[str, LockedImage]
    settings: dict[str, Any] = field(default_factory=dict)
    sink: LiveOutput = field(default_factory=LiveOutput)

    @property
    def project(self) -> Project:
        images = {"app": ImageSpec(name="app", base="python", target="app")}
        given = {"name": "site", "root": self.root, "engine": EngineSpec(kind=EngineKind.EMBEDDED), "locked": self.locked, "images": images}
        return project_with(**{**given, **self.settings})

    def write(self, name: str, text: str) -> None:
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)

    async def run(self, *words: str, stop: Stop | None = None) -> Run:
        """Run the project; the engine alone says what it finds done."""
        dependencies = replace(real_dependencies(), keeps_results=lambda _spec, _environ: False)
        return await run_project(self.project, RunRequest(selectors=words, environ=dict(os.environ)), self.sink, stop, dependencies)

    def predict(self, *words: str) -> dict[str, str]:
        _, predictions = explain_project(self.project, RunRequest(selectors=words, environ=dict(os.environ)))
        return {one.id: one.verdict.value for one in predictions}


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Site:
    if not LOCK.exists():
        pytest.skip("needs .lockgate/images.lock: run `make setup`")
    entry = json.loads(LOCK.read_text())["images"]["python"]
    monkeypatch.setenv("LOCKGATE_STORE", str(tmp_path / "store"))
    for name in ("DAGGER_SESSION_PORT", "DAGGER_SESSION_TOKEN", "LOCKGATE_SESSION"):
        monkeypatch.delenv(name, raising=False)
    root = tmp_path / "site"
    root.mkdir()
    return Site(root, {"python": LockedImage(name="python", reference=entry["reference"], origin=entry["origin"])})
