"""What is published under which tag, from the git repository a project lives in."""

from __future__ import annotations

import os
import subprocess
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.e2e.conftest import Checkout

pytestmark = [pytest.mark.engine, pytest.mark.root, pytest.mark.registry, pytest.mark.timeout(300)]

CONFIG = """[project]
name = "small"
[registry]
url = "{registry}/releases"
[images.small]
[publish]
when = "always"
moving = ["{{branch}}"]
"""


def git(checkout: Checkout, *words: str) -> str:
    command = ["git", "-c", "user.name=t", "-c", "user.email=t@example.com", *words]
    return subprocess.run(command, cwd=checkout.root, check=True, capture_output=True, text=True).stdout.strip()


@pytest.fixture
def repository(make: Callable[..., Checkout], registry: str) -> Checkout:
    made = make(
        lockgate_dot_toml=CONFIG.format(registry=registry),
        Dockerfile="FROM scratch\nCOPY content /\n",
        content=os.urandom(8).hex(),
        _dot_gitignore=".lockgate/\n",
    )
    git(made, "init", "--quiet", "--initial-branch=main")
    git(made, "add", ".")
    git(made, "commit", "--quiet", "--message", "one")
    return made


def reference(checkout: Checkout) -> str:
    ended = checkout.run()
    assert ended.code == 0, ended.stderr
    return str(ended.document["images"][0]["ref"]).partition("@")[0].rpartition(":")[2]


def test_a_tag_of_a_release_never_moves(repository: Checkout) -> None:
    version = f"1.{os.getpid()}.{int.from_bytes(os.urandom(4), 'big')}"
    git(repository, "tag", f"v{version}")
    assert reference(repository) == version
    assert reference(repository) == version  # the same image again is no move
    repository.add("content", "changed")
    git(repository, "commit", "--quiet", "--all", "--message", "two")
    git(repository, "tag", "--force", f"v{version}")
    ended = repository.run()
    assert ended.code == 1
    publish = ended.steps["publish.small"]
    assert f":{version} is immutable" in publish["reason"]
    assert "git tag" in publish["next_step"]


def test_snapshots_are_named_after_their_commit_and_may_move(repository: Checkout) -> None:
    commit = git(repository, "rev-parse", "HEAD")[:7]
    assert reference(repository) == f"0.0.0_g{commit}"
    for text in ("one", "two"):
        repository.add("content", text)
        assert reference(repository) == f"0.0.0_g{commit}.dirty"


def test_nothing_is_published_from_a_laptop_unless_asked(repository: Checkout) -> None:
    repository.edit("lockgate.toml", 'when = "always"', 'when = "ci"')
    kept = repository.run()
    assert (kept.code, kept.steps["publish.small"]["status"]) == (0, "skipped")
    assert kept.document["images"][0]["published"] is False
    assert repository.run("--publish").document["images"][0]["published"] is True


def test_a_release_job_tried_again_elsewhere_takes_what_is_published(repository: Checkout, tmp_path: Path) -> None:
    """A fresh runner has no cache, and its rebuild another digest: the file it makes says when it was made."""
    repository.edit("Dockerfile", "FROM scratch\nCOPY content /\n", "ARG BASE\nFROM $BASE\nCOPY content /\nRUN date +%s%N > /made\n")
    repository.edit("lockgate.toml", "[images.small]", '[images.small]\nbase = "python"')
    git(repository, "commit", "--quiet", "--all", "--message", "made at some time")
    version = f"1.{os.getpid()}.{int.from_bytes(os.urandom(4), 'big')}"
    git(repository, "tag", f"v{version}")
    first = repository.run(LOCKGATE_STORE=str(tmp_path / "one"))
    again = repository.run(LOCKGATE_STORE=str(tmp_path / "two"))
    assert (first.code, again.code) == (0, 0), again.stderr
    assert again.document["images"][0]["ref"] == first.document["images"][0]["ref"]
    assert again.steps["image.small"]["cached"]
    # Other inputs under the same version stay refused.
    repository.edit("lockgate.toml", "[images.small]", '[images.small]\nlabels = { by = "another" }')
    git(repository, "commit", "--quiet", "--all", "--message", "another label")
    git(repository, "tag", "--force", f"v{version}")
    other = repository.run(LOCKGATE_STORE=str(tmp_path / "two"))
    assert other.code == 1
    assert "is immutable" in other.steps["publish.small"]["reason"]
