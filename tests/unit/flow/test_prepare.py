from __future__ import annotations

from pathlib import Path

import pytest

from pipelines.flow.dependencies import real_dependencies
from pipelines.flow.prepare import on_branch, permissions, prepare
from pipelines.flow.run import RunRequest
from pipelines.model import EngineSpec, Insecure, Project, Source
from pipelines.providers import Provider

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
    said = list(permissions(Project(name="x", root=Path("/x"), engine=EngineSpec(insecure=insecure))))
    assert bool(said) is (insecure is Insecure.ALL)
    assert all('[engine] insecure = "all"' in note for note in said)


def test_steps_of_the_projects_own_have_its_limit_unless_they_say_one(tmp_path: Path) -> None:
    own = "from pipelines import pipeline\n@pipeline.step\nasync def one(): ...\n@pipeline.step(timeout='2h')\nasync def two(): ...\n"
    (tmp_path / "lockgate.py").write_text(own)
    prepared = prepare(Project(name="p", root=tmp_path, timeout_s=60.0), RunRequest(environ={}), real_dependencies())
    assert {step.id: step.timeout_s for step in prepared.plan.steps} == {"step.one": 60.0, "step.two": 7200.0}
