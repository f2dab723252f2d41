from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from pipelines.flow.dependencies import real_dependencies
from pipelines.flow.prepare import on_branch, permissions, prepare
from pipelines.flow.request import RunRequest
from pipelines.model import EngineSpec, Insecure, Source
from pipelines.providers import Provider
from pipelines.steps.definition import AwaitedChecks, Parameter, StepDef
from tests.projects import project_with

if TYPE_CHECKING:
    from collections.abc import Callable

DETACHED = Source(root="/x", revision="abc")


@pytest.mark.parametrize(
    ("source", "revision", "branch", "expected"),
    [
        (DETACHED, "abc", "main", "main"),
        (DETACHED, None, "main", "main"),
        (DETACHED, "other", "main", None),
        (DETACHED, "abc", None, None),
        (Source(root="/x", revision="abc", branch="mine"), "abc", "main", "mine"),
    ],
)
def test_a_detached_commit_is_on_the_branch_ci_says(source: Source, revision: str | None, branch: str | None, expected: str | None) -> None:
    provider = Provider(name="gitlab", in_ci=True, revision=revision, branch=branch)
    assert on_branch(source, provider).branch == expected


@pytest.mark.parametrize("insecure", Insecure)
def test_a_plan_says_when_dockerfiles_may_have_all_capabilities(insecure: Insecure) -> None:
    said = list(permissions(project_with(name="x", root=Path("/x"), engine=EngineSpec(insecure=insecure))))
    assert bool(said) is (insecure is Insecure.ALL)
    assert all('[engine] insecure = "all"' in note for note in said)


def test_steps_of_the_projects_own_have_its_limit_unless_they_say_one(tmp_path: Path) -> None:
    own = "from pipelines import pipeline\n@pipeline.step\nasync def one(): ...\n@pipeline.step(timeout='2h')\nasync def two(): ...\n"
    (tmp_path / "lockgate.py").write_text(own)
    prepared = prepare(project_with(name="p", root=tmp_path, timeout_s=60.0), RunRequest(environ={}), real_dependencies())
    assert {step.id: step.timeout_s for step in prepared.plan.steps} == {"step.one": 60.0, "step.two": 7200.0}


def chain(count: int) -> list[StepDef]:
    """Steps that take the values of the three before them, and one that publishes after all of them."""

    async def work() -> None: ...

    def step(number: int) -> StepDef:
        takes = tuple(Parameter(name=f"test_s{before}", annotation="Check") for before in range(max(0, number - 3), number))
        return StepDef(id=f"test.s{number}", kind="test", name=f"s{number}", parameters=takes, provides="Check", load=lambda: work)

    publish = StepDef(id="publish.x", kind="publish", name="x", parameters=(), provides="PublishedImage", load=lambda: work, awaits=EVERY)
    return [*(step(number) for number in range(count)), publish]


EVERY = AwaitedChecks(selectors=None, subject="publishing", key="publish.after")


def calls(work: Callable[[], object]) -> int:
    """How many functions are called, and generators resumed: a measure that does not depend on the machine."""
    count = 0

    def seen(_frame: object, event: str, _argument: object) -> None:
        nonlocal count
        count += event in ("call", "c_call")

    sys.setprofile(seen)
    try:
        work()
    finally:
        sys.setprofile(None)
    return count


def test_planning_takes_time_by_the_number_of_steps_not_by_its_square(tmp_path: Path) -> None:
    def plan(count: int) -> int:
        steps = chain(count)
        dependencies = replace(real_dependencies(), builtin=lambda *_: steps, read_source=lambda root: Source(root=str(root)))
        project = project_with(name="p", root=tmp_path)
        return calls(lambda: prepare(project, RunRequest(selectors=("publish", f"test.s{count - 1}")), dependencies))

    plan(50)  # what is called once
    small, large = plan(100), plan(800)
    assert large < 9 * small
