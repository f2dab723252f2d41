"""This repository's own CI files. Nobody can run a GitLab or GitHub runner here, so their structure is checked against the keys the two
services document, and their script lines are run with the long commands asked only what they would do.
"""

from __future__ import annotations

import os
import re
import subprocess
from typing import TYPE_CHECKING, Any

import pytest
import yaml

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

Document = dict[str, Any]

# GitLab: keys of a pipeline's top level and of a job that this project may use (docs.gitlab.com/ee/ci/yaml).
GITLAB_TOP = {"stages", "default", "variables", "workflow", "include"}
GITLAB_DEFAULT = {"image", "interruptible", "timeout", "cache", "before_script", "after_script", "retry", "tags", "services", "artifacts"}
GITLAB_JOB = GITLAB_DEFAULT | {"stage", "script", "needs", "rules", "variables", "allow_failure", "environment", "parallel", "dependencies"}
GITLAB_ARTIFACTS = {"when", "expire_in", "paths", "reports", "exclude", "name"}
# GitHub: keys of a workflow, a job and a step (docs.github.com/actions/reference/workflow-syntax-for-github-actions).
GITHUB_TOP = {"name", "on", "permissions", "concurrency", "env", "defaults", "jobs"}
GITHUB_JOB = {"name", "runs-on", "timeout-minutes", "needs", "if", "permissions", "env", "strategy", "steps", "services", "container"}
GITHUB_STEP = {"name", "id", "if", "uses", "with", "run", "env", "shell", "working-directory", "timeout-minutes", "continue-on-error"}

# What a script line does, asked instead of done.
DRY = ((r"\bmake (\w+)", r"make --dry-run \1"), (r"\bci/setup\b", "ci/setup --help"), (r"-m pipelines run\b", "-m pipelines plan"))


class Loader(yaml.SafeLoader):
    """YAML 1.2's booleans: `on` is a word."""


Loader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if tag != "tag:yaml.org,2002:bool"]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}
Loader.add_implicit_resolver("tag:yaml.org,2002:bool", re.compile(r"^(?:true|false)$"), list("tf"))


def load(file: Path) -> Document:
    document: Document = yaml.load(file.read_text(), Loader)
    return document


@pytest.fixture
def gitlab(checkout: Path) -> Document:
    return load(checkout / ".gitlab-ci.yml")


@pytest.fixture
def github(checkout: Path) -> Document:
    return load(checkout / ".github/workflows/ci.yml")


def gitlab_jobs(document: Document) -> dict[str, Document]:
    return {name: job for name, job in document.items() if name not in GITLAB_TOP}


def github_steps(document: Document) -> Iterator[Document]:
    for job in document["jobs"].values():
        yield from job["steps"]


def test_gitlab_jobs_have_known_keys_stages_and_needs(gitlab: Document) -> None:
    jobs = gitlab_jobs(gitlab)
    assert set(gitlab["default"]) <= GITLAB_DEFAULT
    assert jobs
    for job in jobs.values():
        assert set(job) <= GITLAB_JOB
        assert job["stage"] in gitlab["stages"]
        assert all(need in jobs for need in job.get("needs", []))
        assert all(isinstance(line, str) for line in job["script"])
        assert set(job.get("artifacts", {})) <= GITLAB_ARTIFACTS


def test_gitlab_caches_and_artifacts_are_inside_the_checkout(gitlab: Document) -> None:
    """GitLab keeps nothing from outside the project folder."""
    artifacts = [path for job in gitlab_jobs(gitlab).values() for path in job.get("artifacts", {}).get("paths", [])]
    for path in [*gitlab["default"]["cache"]["paths"], *artifacts]:
        assert not path.startswith(("/", "~", "$", ".."))
    folder = gitlab["variables"]["LOCKGATE_CACHE"].removeprefix("$CI_PROJECT_DIR/")
    assert all(path.startswith(f"{folder}/") for path in gitlab["default"]["cache"]["paths"])


def test_github_jobs_and_steps_have_known_keys(github: Document) -> None:
    assert set(github) <= GITHUB_TOP
    for job in github["jobs"].values():
        assert set(job) <= GITHUB_JOB
        assert job["timeout-minutes"] <= 360
    for step in github_steps(github):
        assert set(step) <= GITHUB_STEP
        assert ("uses" in step) != ("run" in step)


def test_github_is_given_no_more_than_it_needs(github: Document) -> None:
    assert github["permissions"] == {"contents": "read"}
    for step in github_steps(github):
        if "uses" in step:
            assert re.fullmatch(r"[\w-]+/[\w-]+@[0-9a-f]{40}", step["uses"])
        if step.get("uses", "").startswith("actions/checkout@"):
            assert step["with"]["persist-credentials"] is False


def test_both_run_the_pipeline_by_the_command_of_a_laptop(gitlab: Document, github: Document) -> None:
    gitlab_lines = [line for job in gitlab_jobs(gitlab).values() for line in job["script"]]
    github_lines = [line for step in github_steps(github) for line in step.get("run", "").splitlines()]
    for lines in (gitlab_lines, github_lines):
        assert "python -m pipelines run" in lines
        assert "make test" in lines


def scripts(provider: str, document: Document) -> Iterator[str]:
    if provider == "gitlab":
        before = document["default"]["before_script"]
        yield from ("\n".join([*before, *job["script"]]) for job in gitlab_jobs(document).values())
    else:
        yield from (step["run"] for step in github_steps(document) if "run" in step)


@pytest.mark.parametrize("provider", ["gitlab", "github"])
def test_every_script_line_runs(provider: str, checkout: Path, request: pytest.FixtureRequest) -> None:
    environment = {**os.environ, "CI": "true", "LOCKGATE_ENGINE": "embedded"}
    for script in scripts(provider, request.getfixturevalue(provider)):
        for pattern, asked in DRY:
            script = re.sub(pattern, asked, script)  # noqa: PLW2901 - rewritten line by line
        command = ["bash", "-e", "-o", "pipefail", "-c", script]
        done = subprocess.run(command, cwd=checkout, env=environment, capture_output=True, text=True, check=False)
        assert done.returncode == 0, f"{script}\n{done.stdout}{done.stderr}"
