"""The steps on a real engine: the embedded one, or a real Dagger engine where `_EXPERIMENTAL_DAGGER_RUNNER_HOST` is set."""

from __future__ import annotations

import itertools
import json
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import dagger
import pytest

from pipelines.model import BuiltImage, LockedImage, Registry, Source
from pipelines.steps.common.step_inputs import StepInputs
from pipelines.steps.definition import StepContext
from pipelines.steps.image import run as image_step
from pipelines.steps.image.spec import ImageSpec
from tests.projects import project_with

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

LOCK = Path(__file__).parents[3] / ".lockgate" / "images.lock"


@dataclass
class Workshop:
    """Makes what a step is given. Every run has a new id; `logs` and `secrets` hold what steps wrote and asked to be masked."""

    root: Path
    locked: Mapping[str, LockedImage]
    logs: list[str] = field(default_factory=list)
    secrets: list[str] = field(default_factory=list)
    runs: Iterator[int] = field(default_factory=lambda: itertools.count(1))
    contexts: list[StepContext] = field(default_factory=list)

    @property
    def registry(self) -> str:
        return self.locked["python"].reference.partition("/")[0]

    @property
    def log(self) -> str:
        return "".join(self.logs)

    def write(self, **files: str) -> None:
        """Files of the project; `__` in a name is a slash, `_dot_` a dot."""
        for name, text in files.items():
            path = self.root / name.replace("__", "/").replace("_dot_", ".")
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)

    def given(
        self,
        step_id: str = "test.unit",
        *,
        attempt: str | None = None,
        source: Source | None = None,
        images: tuple[BuiltImage, ...] = (),
        **project: Any,
    ) -> StepInputs:
        run_id = f"run-{next(self.runs)}-{time.time_ns()}"
        folder = self.root.parent / "artifacts" / run_id
        context = StepContext(id=step_id, run_id=run_id, folder=folder, attempt=attempt, log=self.logs.append, mask=self.secrets.append)
        self.contexts.append(context)
        made = project_with(
            **{"name": "shop", "root": self.root, "locked": self.locked, "registry": Registry(url=f"{self.registry}/tests"), **project}
        )
        return StepInputs(
            client=dagger.dag,
            context=context,
            project=made,
            source=source or Source(root=str(self.root)),
            images={image.name: image for image in images},
        )

    async def image(self, dockerfile: str, *targets: str, **spec: Any) -> BuiltImage:
        """The image of a Dockerfile that starts with `ARG BASE`, `FROM $BASE`."""
        self.write(Dockerfile=dockerfile)
        return await image_step.step(ImageSpec(**{"name": "shop", "base": "python", **spec}), targets, self.given("image.shop"))


@pytest.fixture(scope="session")
def locked() -> Mapping[str, LockedImage]:
    if not LOCK.exists():
        pytest.skip("needs .lockgate/images.lock: run `make setup`")
    entries = json.loads(LOCK.read_text())["images"]
    return {
        name: LockedImage(name=name, reference=entry["reference"], origin=entry["origin"], fixture=entry["fixture"])
        for name, entry in entries.items()
    }


@pytest.fixture
def nonce() -> str:
    """A word no run had before: put into a Dockerfile or command, it keeps the engine's cache out of a test."""
    return str(time.time_ns())


@pytest.fixture
def workshop(engine: Path, tmp_path: Path, locked: Mapping[str, LockedImage]) -> Workshop:
    root = tmp_path / "project"
    root.mkdir()
    return Workshop(root=root, locked=locked)
