from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from pipelines.errors import ConfigError
from pipelines.model import Source
from pipelines.steps.common.tags import tags_of
from pipelines.steps.publish.spec import PublishSpec
from pipelines.steps.source import is_release, read_source

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


def commit(git: Callable[..., str], repo: Path, name: str = "a.txt", text: str = "a") -> str:
    (repo / name).write_text(text)
    git("add", ".")
    git("commit", "--quiet", "--message", name)
    return git("rev-parse", "HEAD")


@pytest.fixture
def repo(tmp_path: Path) -> Path:
    return tmp_path / "repo"


def test_a_commit_without_a_tag(git: Callable[..., str], repo: Path) -> None:
    revision = commit(git, repo)
    source = read_source(repo)
    assert source == Source(
        root=str(repo), revision=revision, branch="main", version=f"0.0.0+g{revision[:7]}", created="2026-02-03T04:05:06+00:00"
    )
    assert not is_release(source)


@pytest.mark.parametrize("tag", ["v1.4.0", "1.4.0"])
def test_a_tagged_commit_is_a_release(git: Callable[..., str], repo: Path, tag: str) -> None:
    commit(git, repo)
    git("tag", "--no-sign", tag)
    source = read_source(repo)
    assert source.version == "1.4.0"
    assert is_release(source)


def test_commits_after_a_tag_count_from_it(git: Callable[..., str], repo: Path) -> None:
    commit(git, repo)
    git("tag", "--no-sign", "--annotate", "--message", "x", "v1.4.0-rc.1")
    revision = commit(git, repo, "b.txt")
    source = read_source(repo)
    assert source.version == f"1.4.0-rc.1-1-g{revision[:7]}"
    assert not is_release(source)


def test_a_prerelease_is_a_release_of_its_own(git: Callable[..., str], repo: Path) -> None:
    commit(git, repo)
    git("tag", "--no-sign", "v1.4.0-rc.1")
    assert is_release(read_source(repo))


def test_tags_that_are_no_versions_are_not_taken(git: Callable[..., str], repo: Path) -> None:
    commit(git, repo)
    git("tag", "--no-sign", "nightly")
    assert read_source(repo).version.startswith("0.0.0+g")


@pytest.mark.parametrize("name", ["a.txt", "new.txt"])
def test_changed_and_new_files_make_it_dirty(git: Callable[..., str], repo: Path, name: str) -> None:
    commit(git, repo)
    git("tag", "--no-sign", "v1.0.0")
    (repo / name).write_text("changed")
    source = read_source(repo)
    assert (source.version, source.dirty, is_release(source)) == ("1.0.0.dirty", True, False)


def test_our_own_files_and_ignored_ones_do_not(git: Callable[..., str], repo: Path) -> None:
    (repo / ".gitignore").write_text("*.log\n")
    commit(git, repo)
    for folder in (repo / ".lockgate/runs", repo / "sub/.lockgate"):
        folder.mkdir(parents=True)
        (folder / "x.json").write_text("{}")
    (repo / "x.log").write_text("")
    assert not read_source(repo).dirty


def test_a_project_in_a_folder_of_the_repository(git: Callable[..., str], repo: Path) -> None:
    (repo / "shop").mkdir()
    revision = commit(git, repo, "shop/a.txt")
    assert read_source(repo / "shop").revision == revision


def test_a_detached_head_has_no_branch(git: Callable[..., str], repo: Path) -> None:
    git("checkout", "--quiet", "--detach", commit(git, repo))
    assert read_source(repo).branch is None


def test_a_remote_loses_its_password(git: Callable[..., str], repo: Path) -> None:
    commit(git, repo)
    git("remote", "add", "origin", "https://user:t0ken@example.com/team/shop.git")
    assert read_source(repo).remote == "https://example.com/team/shop.git"


def test_reading_leaves_the_index_alone(git: Callable[..., str], repo: Path) -> None:
    commit(git, repo)
    os.utime(repo / "a.txt", (1, 1))  # same content, another time: a plain `git status` would write the index
    before = (repo / ".git/index").read_bytes()
    read_source(repo)
    assert (repo / ".git/index").read_bytes() == before


def test_outside_git_and_without_a_commit_there_is_only_a_version(git: Callable[..., str], repo: Path, tmp_path: Path) -> None:
    plain = tmp_path / "plain"
    plain.mkdir()
    for folder in (plain, repo):
        source = read_source(folder)
        assert source == Source(root=str(folder), version="0.0.0")
        assert not is_release(source)


def test_without_git_installed(repo: Path, git: Callable[..., str], monkeypatch: pytest.MonkeyPatch) -> None:
    commit(git, repo)
    monkeypatch.setenv("PATH", "/nowhere")
    source = read_source(repo)
    assert (source.version, source.revision) == ("0.0.0", None)
    assert "git is not installed" in str(source.unknown)


@pytest.mark.root
def test_a_repository_of_another_owner_is_said(git: Callable[..., str], repo: Path) -> None:
    commit(git, repo)
    inner = repo / "inner"
    inner.mkdir()
    for path in (repo, repo / ".git", inner):
        os.chown(path, 12345, 12345)
    source = read_source(inner)
    assert (source.version, source.revision) == ("0.0.0", None)
    assert source.unknown is not None
    assert f"git config --global --add safe.directory {repo}" in source.unknown
    spec = PublishSpec(tags=("{version}",))
    with pytest.raises(ConfigError, match="named after its commit") as refused:
        tags_of(spec, source)
    assert "safe.directory" in str(refused.value.lines())
    assert [tag.name for tag in tags_of(PublishSpec(tags=("stable",)), source)] == ["stable"]


def test_a_repository_that_git_cannot_read_is_said(tmp_path: Path) -> None:
    (tmp_path / ".git").write_text("gitdir: /nowhere\n")
    assert "git cannot read the repository" in str(read_source(tmp_path).unknown)


def test_outside_of_git_nothing_is_missing(tmp_path: Path) -> None:
    assert read_source(tmp_path).unknown is None
