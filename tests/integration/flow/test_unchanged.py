"""Steps that are taken as unchanged, against what the engine does with the same project: never a wrong hit.

A real project on a real embedded engine is changed in ways drawn at random. What the proof calls unchanged, the engine must find done, with
the same result.
"""

from __future__ import annotations

import asyncio
import itertools
import os
import sys
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pipelines.flow.dependencies import RunDependencies, real_dependencies
from pipelines.flow.folder import ProjectHome
from pipelines.flow.prepare import prepare
from pipelines.flow.request import RunRequest
from pipelines.flow.run import run_project
from pipelines.flow.state_file import StateFile
from pipelines.flow.unchanged.proof import unchanged_steps
from pipelines.flow.unchanged.run_settings import RunSettings
from pipelines.foundation.clock import Clock
from pipelines.model import BuiltImage, Check, EngineKind, EngineSpec, LockedImage, Run, SecretRef, Source, Status
from pipelines.steps.common.service_spec import ServiceSpec
from pipelines.steps.definition import StepContext
from pipelines.steps.image.spec import ImageSpec, ImageTarget
from pipelines.steps.test.spec import TestSpec

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.integration.flow.conftest import Site

pytestmark = [pytest.mark.engine, pytest.mark.root, pytest.mark.registry]

DOCKERFILE = """
ARG BASE
FROM ${BASE} AS app
ARG COLOR
COPY src /src
COPY link* /links/
RUN --mount=type=secret,id=token test -e /run/secrets/token; echo "$COLOR" > /color; ls -lR --time-style=+ /src /links > /listing
FROM app AS test
COPY tests /tests
"""
REPORT = '<testsuite name="s"><testcase name="$(sha256sum /src/a /listing /color | sha256sum | cut -c1-16)" time="0"/></testsuite>'
IMAGE = ImageSpec(name="app", base="python", target="app", args={"COLOR": "red"}, secrets={"token": SecretRef("env://TOKEN")})
TEST = TestSpec(
    name="unit",
    image=ImageTarget(name="app", target="test"),
    command=("sh", "-c", f'mkdir -p /reports; printf "%s" "{REPORT.replace(chr(34), chr(92) + chr(34))}" > /reports/junit.xml'),
    junit="/reports/junit.xml",
)


@dataclass
class Changing:
    """A project, and the ways in which it changes; `said` counts what was proved unchanged and what was not."""

    site: Site
    source: Source = field(default_factory=lambda: Source(root="", version="0.0.0"))
    image: ImageSpec = IMAGE
    test: TestSpec = TEST
    environ: dict[str, str] = field(default_factory=lambda: {"TOKEN": "s3cr3t-one"})
    numbers: Any = field(default_factory=itertools.count)

    pinned: str = ""

    def __post_init__(self) -> None:
        self.pinned = self.site.locked["python"].reference
        self.site.write("Dockerfile", DOCKERFILE)
        self.site.write(".dockerignore", "*.md\n")
        self.site.write("src/a", "content 00000\n")
        self.site.write("src/deep/b", "b\n")
        self.site.write("tests/t", "t\n")
        (self.site.root / "link").symlink_to("src/a")

    @property
    def root(self) -> Path:
        return self.site.root

    def path(self, name: str) -> Path:
        return self.root / name

    def next(self) -> str:
        return f"{next(self.numbers):05}"

    def _dependencies(self, *, proof: bool) -> RunDependencies:
        real = replace(real_dependencies(), read_source=lambda _root: self.source)
        return real if proof else replace(real, keeps_results=lambda _spec, _environ: False)

    def _prepare(self) -> None:
        self.site.settings["images"] = {"app": self.image}
        self.site.settings["tests"] = {"unit": self.test}
        os.environ.update(self.environ)

    def proved(self) -> dict[str, object]:
        """What the proof gives for each step, without an engine."""
        self._prepare()
        project, request = self.site.project, RunRequest(environ=dict(os.environ))
        dependencies = self._dependencies(proof=True)
        prepared = prepare(project, request, dependencies)
        home = ProjectHome.of(self.root)

        def no_client() -> Any:
            raise AssertionError("nobody asks for a client")

        past = unchanged_steps(
            project=project,
            source=self.source,
            environ=request.environ,
            clock=Clock(),
            client=no_client,
            settings=RunSettings(node.definition for node in prepared.graph.nodes.values()),
            home=home,
            state=StateFile.read(home.state),
            open_past=dependencies.past_work,
        )
        found: dict[str, object] = {}

        async def ask() -> None:
            for node in prepared.graph.nodes.values():
                context = StepContext(id=node.id, run_id="proof", folder=self.root.parent / "proof" / node.id)
                result = await past.find(node.definition, context)
                if result is not None:
                    found[node.id] = result.value

        asyncio.run(ask())
        return found

    def run(self, *, proof: bool) -> Run:
        self._prepare()
        request = RunRequest(environ=dict(os.environ))
        return asyncio.run(run_project(self.site.project, request, self.site.sink, None, self._dependencies(proof=proof)))


def _same_size_and_time(project: Changing) -> None:
    path = project.path("src/a")
    before = path.stat()
    path.write_text(f"content {project.next()}\n")
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))


def _point(link: Path, target: str) -> None:
    link.unlink(missing_ok=True)
    link.symlink_to(target)


def _argument(project: Changing) -> None:
    project.image = replace(project.image, args={"COLOR": project.next()})


def _label(project: Changing) -> None:
    project.image = replace(project.image, labels={"word": project.next()})


def _environment(project: Changing) -> None:
    project.test = replace(project.test, env={"WORD": project.next()})


def _command(project: Changing) -> None:
    shell, flag, script, *_ = TEST.command
    project.test = replace(project.test, command=(shell, flag, f"{script} # {project.next()}"))


def _commit(project: Changing) -> None:
    word = project.next()
    project.source = replace(project.source, revision=word * 8, version=f"0.0.0+g{word}", created="2026-01-01T00:00:00Z")


def _lock(project: Changing) -> None:
    locked = project.site.locked["python"]
    origin = "chosen" if locked.origin == "built" else "built"
    project.site.locked = {"python": LockedImage(name="python", reference=locked.reference, origin=origin)}


def _tag(project: Changing) -> None:
    """The base by its tag, which the registry is asked for, or by its digest again."""
    locked = project.site.locked["python"]
    is_pinned = locked.reference == project.pinned
    project.site.locked = {"python": replace(locked, reference=project.pinned.partition("@")[0] if is_pinned else project.pinned)}


def _service(project: Changing) -> None:
    """A service beside the test, of the image that is built."""
    command = ("python3", "-m", "http.server", "8000")
    web = ServiceSpec(image="app", port=8000, command=command, env={"WORD": project.next()})
    project.test = replace(project.test, services={"web": web} if not project.test.services else {})


def _limit(project: Changing) -> None:
    project.site.settings["engine"] = EngineSpec(kind=EngineKind.EMBEDDED, processes=1000 + int(project.next()))


CHANGES: dict[str, Callable[[Changing], object]] = {
    "nothing": lambda _project: None,
    "edited": lambda project: project.path("src/a").write_text(f"other {project.next()}, of another size\n"),
    "edited at the same size and time": _same_size_and_time,
    "touched": lambda project: os.utime(project.path("src/a")),
    "mode": lambda project: project.path("src/a").chmod(0o755 ^ (project.path("src/a").stat().st_mode & 0o111)),
    "mode of a folder": lambda project: project.path("src/deep").chmod(0o700 if project.path("src/deep").stat().st_mode & 0o5 else 0o755),
    "link": lambda project: _point(project.path("src/inner"), project.next()),
    "link that is copied": lambda project: _point(
        project.path("link"), "tests/t" if project.path("link").readlink().name == "a" else "src/a"
    ),
    "new file": lambda project: project.path(f"src/{project.next()}").write_text("new"),
    "new empty folder": lambda project: project.path(f"src/{project.next()}").mkdir(),
    "gone": lambda project: project.path("src/deep/b").unlink(missing_ok=True),
    "back": lambda project: project.path("src/deep/b").write_text("b\n"),
    "ignored": lambda project: project.path("README.md").write_text(project.next()),
    "beside": lambda project: project.path("notes.txt").write_text(project.next()),
    "ignore file": lambda project: project.path(".dockerignore").write_text(f"*.md\nsrc/{project.next()}\n"),
    "file of a stage": lambda project: project.path("tests/t").write_text(project.next()),
    "Dockerfile": lambda project: project.path("Dockerfile").write_text(DOCKERFILE + f"RUN echo {project.next()} > /more\n"),
    "comment": lambda project: project.path("Dockerfile").write_text(f"# {project.next()}\n" + DOCKERFILE),
    "secret": lambda project: project.environ.update(TOKEN=f"s3cr3t-{project.next()}"),
    "argument": _argument,
    "label": _label,
    "environment": _environment,
    "command": _command,
    "commit": _commit,
    "lock": _lock,
    "tag": _tag,
    "service": _service,
    "limit": _limit,
}


def _comparable(value: object) -> object:
    """A value without what is another one each time: handles in an engine, folders of a run."""
    if isinstance(value, BuiltImage):
        return replace(value, containers=_comparable)  # type: ignore[arg-type]
    return replace(value, artifacts=()) if isinstance(value, Check) else value


@pytest.mark.timeout(600)
@settings(max_examples=12, deadline=None, suppress_health_check=list(HealthCheck))
@given(changes=st.lists(st.sampled_from(sorted(CHANGES)), min_size=1, max_size=3))
def _check(project: Changing, changes: list[str]) -> None:
    for name in changes:
        CHANGES[name](project)
    proved = project.proved()
    run = project.run(proof=False)
    for result in run.results:
        if result.id in proved:
            assert result.status is Status.PASSED, (changes, result.reason, result.tail)
            assert result.cached, f"after {changes} {result.id} was called unchanged, and the engine worked on it"
            assert _comparable(proved[result.id]) == _comparable(result.value), f"after {changes} {result.id} has another result"
    passed = {result.id for result in run.results if result.status is Status.PASSED}
    assert set(project.proved()) == passed, "what has just passed is unchanged, and nothing else"


@pytest.mark.timeout(900)
def test_what_is_called_unchanged_the_engine_finds_done_with_the_same_result(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TOKEN", "s3cr3t-one")
    project = Changing(site)
    project.run(proof=False)
    assert set(project.proved()) == {"image.app", "test.unit"}
    _check(project)


def test_an_unchanged_run_starts_no_engine(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TOKEN", "s3cr3t-one")
    project = Changing(site)
    first = project.run(proof=True)
    assert first.engine is not None
    again = project.run(proof=True)
    assert (again.engine, {one.unchanged_since for one in again.results}) == (None, {first.id})
    assert [(one.status, one.cached, one.facts, one.cases) for one in again.results] == [
        (one.status, True, one.facts, one.cases) for one in first.results
    ]
    assert all(os.path.exists(name) and again.id in name for one in again.results for name in one.artifacts)  # noqa: PTH110
    assert sys.modules.get("dagger") is not None  # the first run needed it; what a process without one imports, e2e tests say
