from __future__ import annotations

import http.server
import shutil
import socket
import subprocess
import threading
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING, Any

import dagger
import pytest
from dagger import dag

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = [pytest.mark.engine, pytest.mark.root, pytest.mark.asyncio(loop_scope="module"), pytest.mark.usefixtures("engine")]


class Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_: Any) -> None:
        pass


@contextmanager
def serving(folder: Path) -> Iterator[str]:
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(folder))) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}"
        finally:
            server.shutdown()
            thread.join()


async def test_a_file_by_http(tmp_path: Path) -> None:
    (tmp_path / "page.txt").write_text("first")
    with serving(tmp_path) as url:
        assert await dag.http(f"{url}/page.txt").contents() == "first"
        assert await dag.http(f"{url}/page.txt").name() == "page.txt"
        with pytest.raises(dagger.QueryError, match="404"):
            await dag.http(f"{url}/nothing").contents()


def _git(folder: Path, *words: str) -> str:
    who = ["-c", "user.name=t", "-c", "user.email=t@example.org", "-c", "init.defaultBranch=main", "-c", "protocol.file.allow=always"]
    return subprocess.run(["git", *who, *words], cwd=folder, check=True, capture_output=True, text=True).stdout.strip()


@pytest.fixture
def repository(tmp_path: Path) -> Iterator[tuple[str, str]]:
    """URL and newest commit of a repository with two commits and a tag on the first, served by git itself."""
    if shutil.which("git") is None:
        pytest.skip("needs git")
    folder = tmp_path / "repo"
    folder.mkdir()
    _git(folder, "init", "-q")
    for index, name in enumerate(("one", "two")):
        (folder / name).write_text(name)
        _git(folder, "add", ".")
        _git(folder, "commit", "-qm", name)
        if index == 0:
            _git(folder, "tag", "-a", "v1.0", "-m", "first")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [
        "git",
        "daemon",
        "--export-all",
        "--reuseaddr",
        "--listen=127.0.0.1",
        f"--port={port}",
        f"--base-path={tmp_path}",
        "--verbose",
    ]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as server:
        assert server.stderr is not None
        assert "Ready" in server.stderr.readline()
        try:
            yield f"git://127.0.0.1:{port}/repo", _git(folder, "rev-parse", "HEAD")
        finally:
            server.terminate()


async def test_a_git_repository(repository: tuple[str, str]) -> None:
    url, newest = repository
    git = dag.git(url)
    assert await git.branch("main").commit() == newest
    assert await git.head().commit() == newest
    assert await git.tags() == ["v1.0"]
    assert await git.tag("v1.0").tree(discard_git_dir=True).entries() == ["one"]
    assert await git.branch("main").tree().entries() == [".git/", "one", "two"]
    assert await git.commit(newest).tree(discard_git_dir=True).entries() == ["one", "two"]
    with pytest.raises(dagger.QueryError, match="nope"):
        await git.branch("nope").commit()
