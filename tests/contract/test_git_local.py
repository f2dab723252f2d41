from __future__ import annotations

import os
import subprocess
from typing import TYPE_CHECKING

import dagger
import pytest
from dagger import dag

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = [pytest.mark.engine, pytest.mark.root, pytest.mark.asyncio(loop_scope="module"), pytest.mark.usefixtures("engine")]

ONE, TWO = "5e687a3f765082dee00cd4f66b0654274e3959f1", "2ed7d495d391af2faf0a803087b7fcdf13c3803c"
AT = "2020-01-01T00:00:00Z"
WHO = {f"GIT_{role}_{fact}": value for role in ("AUTHOR", "COMMITTER") for fact, value in (("NAME", "a"), ("EMAIL", "a@b"), ("DATE", AT))}
COMMANDS = """
git init -q -b main .; echo 1 > f; git add f; git commit -qm one; git tag v1.0.0
git checkout -qb dev; echo 2 > f; mkdir d; echo x > d/g; git add .; git commit -qm two
git tag -a v1.2.0 -m t; git tag v1.10.0-rc1
echo dirty > f; echo new > untracked
"""


@pytest.fixture
def repository(tmp_path: Path) -> dagger.GitRepository:
    environment = {**os.environ, **WHO, "GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1"}
    subprocess.run(["sh", "-ec", COMMANDS], cwd=tmp_path, env=environment, check=True)
    return dag.host().directory(str(tmp_path)).as_git()


async def test_refs_of_a_repository_in_a_directory(repository: dagger.GitRepository) -> None:
    assert (await repository.head().ref(), await repository.head().commit()) == ("refs/heads/dev", TWO)
    assert (await repository.branches(), await repository.tags()) == (["dev", "main"], ["v1.0.0", "v1.10.0-rc1", "v1.2.0"])
    assert await repository.branches(patterns=["m*"]) == ["main"]
    assert (await repository.branch("main").commit(), await repository.tag("v1.2.0").commit()) == (ONE, TWO)
    assert await repository.ref("main").ref() == "refs/heads/main"
    assert await repository.latest_version().ref() == "refs/tags/v1.10.0-rc1"


async def test_trees_are_those_of_the_commit_not_of_the_directory(repository: dagger.GitRepository) -> None:
    assert await repository.head().tree().entries() == [".git/", "d/", "f"]
    assert await repository.head().tree().file("f").contents() == "2\n"
    assert await repository.tag("v1.0.0").tree(discard_git_dir=True).entries() == ["f"]
    assert await repository.commit(ONE).tree(discard_git_dir=True).file("f").contents() == "1\n"


async def test_what_is_not_there_is_said(repository: dagger.GitRepository) -> None:
    with pytest.raises(dagger.QueryError, match='repository does not contain ref "refs/heads/nope"'):
        await repository.branch("nope").commit()
    with pytest.raises(dagger.QueryError, match="not a git repository"):
        await dag.directory().with_new_file("a", "").as_git().head().commit()


async def test_a_repository_that_leads_out_of_its_directory_is_refused(is_real: bool) -> None:
    if is_real:
        pytest.skip("a refusal of ours: git reads the repository outside of any container")
    outside = dag.directory().with_new_file(".git/HEAD", "ref: refs/heads/main\n").with_new_directory(".git/refs")
    outside = outside.with_new_file(".git/objects/info/alternates", "/elsewhere/objects\n")
    with pytest.raises(dagger.QueryError, match="objects/info/alternates leads out of it"):
        await outside.as_git().head().commit()
    linked = dag.directory().with_new_directory(".git/objects").with_new_directory(".git/refs").with_symlink("/etc", ".git/refs/heads")
    with pytest.raises(dagger.QueryError, match="refs/heads leads out of it"):
        await linked.as_git().head().commit()


def objects() -> dagger.Directory:
    """A bare repository without any commit."""
    made = dag.directory().with_new_directory("objects").with_new_directory("refs")
    return made.with_new_file("HEAD", "ref: refs/heads/main\n").with_new_file("config", "[core]\n\tbare = true\n")


@pytest.fixture
def private(tmp_path: Path) -> Path:
    """A repository of the host that no directory of the session holds."""
    folder = tmp_path / "private"
    folder.mkdir()
    environment = {**os.environ, **WHO, "GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1"}
    subprocess.run(["sh", "-ec", COMMANDS], cwd=folder, env=environment, check=True)
    return folder


async def test_no_file_of_a_repository_leads_to_one_of_the_host(private: Path, is_real: bool) -> None:
    if is_real:
        pytest.skip("a real engine has no folder of ours")
    bare, git = objects(), f"{private}/.git"
    for led in (
        bare.with_new_file(".git", f"gitdir: {git}\n"),
        bare.with_new_file("commondir", f"{git}\n"),
        bare.with_new_file("objects/info/alternates", f"{git}/objects\n"),
        bare.with_new_file("packed-refs", f"{TWO} refs/heads/main\n").with_new_file("config", f"[include]\n\tpath = {git}/config\n"),
        bare.with_symlink(f"{git}/HEAD", "HEAD"),
        bare.with_symlink(f"{git}/refs/heads", "refs/heads"),
    ):
        with pytest.raises(dagger.QueryError):
            await led.as_git().branch("main").tree().entries()


async def test_no_program_that_a_repository_names_is_run(private: Path, tmp_path: Path, is_real: bool) -> None:
    if is_real:
        pytest.skip("a promise of ours; a real engine reads the endless include until the machine has no memory left")
    mark = tmp_path / "ran"
    with (private / ".git/config").open("a") as config:
        config.write(f'[core]\n\tfsmonitor = "touch {mark}"\n[uploadpack]\n\tpackObjectsHook = "touch {mark}"\n')
        config.write(f'[filter "x"]\n\tsmudge = "touch {mark}"\n\trequired = true\n[include]\n\tpath = /dev/zero\n')
    for hook in ("post-checkout", "reference-transaction"):
        (private / ".git/hooks" / hook).write_text(f"#!/bin/sh\ntouch {mark}\n")
        (private / ".git/hooks" / hook).chmod(0o755)
    repository = dag.host().directory(str(private)).as_git()
    assert await repository.head().tree(discard_git_dir=True).entries() == ["d/", "f"]
    assert not mark.exists()


async def test_links_among_what_git_is_not_given_do_no_harm(private: Path) -> None:
    (private / ".git/hooks/pre-commit").symlink_to("/usr/bin/true")
    assert await dag.host().directory(str(private)).as_git().head().commit() == TWO


async def test_a_repository_of_another_owner_is_read(private: Path, is_real: bool) -> None:
    if is_real:
        pytest.skip("a real engine's git refuses a repository of another owner")
    owned = dag.host().directory(str(private))
    assert await dag.directory().with_directory("/", owned, owner="1234").as_git().head().commit() == TWO


@pytest.fixture
def outer(private: Path, tmp_path: Path) -> Path:
    """A repository with another of the host as a submodule."""
    folder = tmp_path / "outer"
    folder.mkdir()
    commands = f"git init -q .; git -c protocol.file.allow=always submodule add -q {private} inner; git commit -qm x"
    environment = {**os.environ, **WHO, "GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1"}
    subprocess.run(["sh", "-ec", commands], cwd=folder, env=environment, check=True)
    return folder


async def test_submodules_name_no_folder_of_this_machine(outer: Path) -> None:
    with pytest.raises(dagger.QueryError, match=r"transport 'file' not allowed|failed to update submodules"):
        await dag.host().directory(str(outer)).as_git().head().tree().entries()
