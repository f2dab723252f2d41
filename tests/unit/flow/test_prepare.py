from __future__ import annotations

from pathlib import Path

import pytest

from pipelines.flow.prepare import on_branch, permissions
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
