from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from pipelines.providers import detect

if TYPE_CHECKING:
    from pathlib import Path

GITLAB = {
    "CI": "true",
    "GITLAB_CI": "true",
    "CI_COMMIT_SHA": "abc",
    "CI_COMMIT_BRANCH": "main",
    "CI_JOB_URL": "https://gitlab.example.com/j/1",
    "GITLAB_USER_LOGIN": "ada",
}
GITHUB = {
    "CI": "true",
    "GITHUB_ACTIONS": "true",
    "GITHUB_SHA": "abc",
    "GITHUB_REF_NAME": "main",
    "GITHUB_REF_TYPE": "branch",
    "GITHUB_ACTOR": "ada",
    "GITHUB_SERVER_URL": "https://github.example.com",
    "GITHUB_REPOSITORY": "team/shop",
    "GITHUB_RUN_ID": "7",
}


@pytest.mark.parametrize(
    ("environ", "name", "in_ci"),
    [
        ({}, "local", False),
        ({"CI": ""}, "local", False),
        ({"CI": "true"}, "ci", True),
        ({"CI": "1"}, "ci", True),
        ({"CI": "False"}, "local", False),
        ({"JENKINS_URL": "http://jenkins"}, "ci", True),
        ({"TF_BUILD": "True"}, "ci", True),
        (GITLAB, "gitlab", True),
        (GITHUB, "github", True),
        (GITHUB | {"CI": "no"}, "local", False),
        ({"JENKINS_URL": "http://jenkins", "CI": "0"}, "local", False),
    ],
)
def test_the_environment_tells_the_provider(environ: dict[str, str], name: str, in_ci: bool) -> None:
    provider = detect(environ)
    assert (provider.name, provider.in_ci) == (name, in_ci)


def test_gitlab_facts() -> None:
    provider = detect(GITLAB)
    assert (provider.branch, provider.tag, provider.revision, provider.actor) == ("main", None, "abc", "ada")
    assert provider.run_url == "https://gitlab.example.com/j/1"
    assert provider.fork is False


def test_a_gitlab_merge_request_from_another_project_is_a_fork() -> None:
    request = {"CI_MERGE_REQUEST_SOURCE_BRANCH_NAME": "fix", "CI_MERGE_REQUEST_PROJECT_ID": "1"}
    other, own = (detect(GITLAB | request | {"CI_MERGE_REQUEST_SOURCE_PROJECT_ID": project}) for project in ("2", "1"))
    assert (other.fork, other.branch) == (True, "fix")
    assert own.fork is False


def test_github_facts() -> None:
    provider = detect(GITHUB)
    assert (provider.branch, provider.tag, provider.revision, provider.actor) == ("main", None, "abc", "ada")
    assert provider.run_url == "https://github.example.com/team/shop/actions/runs/7"
    tagged = detect(GITHUB | {"GITHUB_REF_TYPE": "tag", "GITHUB_REF_NAME": "v1"})
    assert (tagged.branch, tagged.tag) == (None, "v1")


@pytest.mark.parametrize(
    ("head", "fork"),
    [({"repo": {"full_name": "team/shop"}}, False), ({"repo": {"full_name": "eve/shop"}}, True), ({"repo": None}, True)],
)
def test_a_github_pull_request_from_another_repository_is_a_fork(tmp_path: Path, head: dict[str, object], fork: bool) -> None:
    event = tmp_path / "event.json"
    event.write_text(json.dumps({"pull_request": {"head": head, "base": {"repo": {"full_name": "team/shop"}}}}))
    provider = detect(GITHUB | {"GITHUB_HEAD_REF": "fix", "GITHUB_EVENT_PATH": str(event)})
    assert (provider.fork, provider.branch) == (fork, "fix")


def test_a_github_pull_request_whose_event_cannot_be_read_is_not_trusted(tmp_path: Path) -> None:
    assert detect(GITHUB | {"GITHUB_HEAD_REF": "fix", "GITHUB_EVENT_PATH": str(tmp_path / "no")}).fork
