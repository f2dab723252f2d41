from __future__ import annotations

import pytest

from pipelines.flow.prepare import on_branch
from pipelines.model import Source
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
