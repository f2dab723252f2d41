"""Which servers git shows the credentials of a repository to, as git itself reads its settings."""

from __future__ import annotations

import os
import subprocess

import pytest

from pipelines.engine.embedded.errors import InvalidInput
from pipelines.engine.embedded.ops.values.repository import open_repository


def headers(repository: str, asked: str) -> str:
    """What git sends to `asked` while it fetches the repository (and its submodules)."""
    environ = {"PATH": os.environ["PATH"], "HOME": "/", "GIT_CONFIG_NOSYSTEM": "1", "GIT_CONFIG_GLOBAL": os.devnull}
    given = open_repository(repository, token=b"t0ken\n").environment
    command = ["git", "config", "--get-urlmatch", "http.extraHeader", asked]
    return subprocess.run(command, env={**environ, **given}, capture_output=True, text=True, check=False).stdout.strip()


@pytest.mark.parametrize(
    ("repository", "asked"),
    [
        ("https://git.example.com/team/app.git", "https://git.example.com/team/app.git"),
        ("https://git.example.com/team/app.git", "https://git.example.com/team/submodule.git"),
        ("git.example.com/team/app", "https://git.example.com/team/app"),
        ("https://me@git.example.com:8443/app", "https://me@git.example.com:8443/app/info/refs"),
        ("http://[::1]:8000/app", "http://[::1]:8000/app"),
    ],
)
def test_a_token_goes_to_the_server_of_the_repository(repository: str, asked: str) -> None:
    assert headers(repository, asked) == "Authorization: Basic eC1hY2Nlc3MtdG9rZW46dDBrZW4="


@pytest.mark.parametrize(
    "asked",
    [
        "https://elsewhere.example/submodule.git",
        "https://git.example.com:8443/x",
        "http://git.example.com/x",
        "https://git.example.com.evil/x",
    ],
)
def test_a_token_goes_to_nobody_else(asked: str) -> None:
    """Anybody who wrote `.gitmodules` chooses the servers of submodules."""
    assert headers("https://git.example.com/team/app.git", asked) == ""


def test_an_address_that_cannot_be_read_is_said_without_its_password() -> None:
    with pytest.raises(InvalidInput, match=r"is not an URL") as caught:
        open_repository("https://me:secret@[::1/app", token=b"t0ken")
    assert "secret" not in caught.value.message
