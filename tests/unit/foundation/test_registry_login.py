"""The user's credentials files: which count, what damaged ones mean, and the file that skopeo gets."""

from __future__ import annotations

import base64
import json
import os
import stat
from pathlib import Path
from typing import Any

import pytest

from pipelines.engine.embedded.images.logins import credentials_in_memory, path_of, registry
from pipelines.foundation.registry_login import RegistryLogin, find_login

LOGIN = RegistryLogin("me", b"s3cret:with:colons")


def encoded(text: str) -> dict[str, str]:
    return {"auth": base64.b64encode(text.encode()).decode()}


def write(path: Path, value: Any) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(value if isinstance(value, str) else json.dumps(value))


def content(logins: dict[str, RegistryLogin], environment: dict[str, str]) -> Any:
    with credentials_in_memory(logins, environment) as file:
        assert file is not None
        return json.loads(Path(path_of(file)).read_text())


def test_the_file_is_private_has_no_name_and_is_gone_afterwards(tmp_path: Path) -> None:
    with credentials_in_memory({"host": LOGIN}, {"HOME": str(tmp_path), "XDG_RUNTIME_DIR": str(tmp_path)}) as file:
        assert file is not None
        found = os.fstat(file)
        assert (stat.S_IMODE(found.st_mode), found.st_nlink) == (0o600, 0)
        assert not os.get_inheritable(file)
        for _ in range(2):
            assert json.loads(Path(path_of(file)).read_text())["auths"]["host"] == encoded("me:s3cret:with:colons")
    with pytest.raises(OSError, match="Bad file descriptor"):
        os.fstat(file)


def test_without_logins_the_users_own_files_are_left_to_skopeo() -> None:
    with credentials_in_memory({}) as file:
        assert file is None


def test_given_logins_come_before_the_users_and_first_files_before_later_ones(tmp_path: Path) -> None:
    write(tmp_path / "run/containers/auth.json", {"auths": {"a": encoded("run"), "b": encoded("run")}})
    write(tmp_path / "home/.config/containers/auth.json", {"auths": {"b": encoded("config")}, "credHelpers": {"c": "config", "b": "no"}})
    write(tmp_path / "home/.docker/config.json", {"auths": {"c": encoded("docker"), "d": encoded("docker")}, "credsStore": "x"})
    found = content({"a": LOGIN}, {"HOME": f"{tmp_path}/home", "XDG_RUNTIME_DIR": f"{tmp_path}/run"})
    assert found == {
        "auths": {"a": encoded("me:s3cret:with:colons"), "b": encoded("run"), "d": encoded("docker")},
        "credHelpers": {"c": "config"},
    }


def test_a_named_file_is_the_only_one(tmp_path: Path) -> None:
    write(tmp_path / "mine.json", {"auths": {"a": encoded("mine")}})
    write(tmp_path / ".docker/config.json", {"auths": {"b": encoded("docker")}})
    found = content({"x": LOGIN}, {"HOME": str(tmp_path), "REGISTRY_AUTH_FILE": f"{tmp_path}/mine.json"})
    assert found["auths"].keys() == {"a", "x"}


@pytest.mark.parametrize("damaged", ["", "[]", "{", '{"auths": null}', '{"auths": [1], "credHelpers": 3}', "[" * 99999])
def test_a_damaged_file_knows_no_registry(tmp_path: Path, damaged: str) -> None:
    write(tmp_path / ".docker/config.json", damaged)
    assert content({"x": LOGIN}, {"HOME": str(tmp_path)})["auths"].keys() == {"x"}


def test_a_password_is_never_shown() -> None:
    assert "s3cret" not in repr(LOGIN)


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("docker.io", "docker.io"),
        ("https://index.docker.io/v1/", "docker.io"),
        ("ghcr.io", "ghcr.io"),
        ("https://ghcr.io/v2/", "ghcr.io"),
        ("localhost:5000", "localhost:5000"),
        ("http://localhost:5000/", "localhost:5000"),
        ("registry.example.com/team/app:1", "registry.example.com"),
        ("team/app", "docker.io"),
        ("alpine", "docker.io"),
    ],
)
def test_the_registry_of_an_address(address: str, expected: str) -> None:
    assert registry(address) == expected


@pytest.mark.parametrize(
    ("repository", "user"),
    [
        ("r.example/team/app", "app"),
        ("r.example/team/other", "team"),
        ("r.example/elsewhere", "all"),
        ("r.example", "all"),
        ("old.example/x", "legacy"),
        ("docker.io/library/alpine", "hub"),
        ("unknown.example/x", None),
        ("broken.example/x", None),
    ],
)
def test_the_most_exact_entry_of_the_first_file_counts(tmp_path: Path, repository: str, user: str | None) -> None:
    entries = {"r.example/team/app": "app:1", "r.example": "all:1", "r.example/team": "team:1", "https://old.example": "legacy:1"}
    write(tmp_path / "run/containers/auth.json", {"auths": {name: encoded(text) for name, text in entries.items()}})
    damaged = {"broken.example": {"auth": "no base64!"}, "https://index.docker.io/v1/": encoded("hub:a:b"), "r.example": encoded("late:1")}
    write(tmp_path / ".docker/config.json", {"auths": damaged})
    found = find_login(repository, {"HOME": str(tmp_path), "XDG_RUNTIME_DIR": f"{tmp_path}/run"})
    assert (found.username if found else None) == user


def test_a_password_may_hold_colons_and_any_bytes(tmp_path: Path) -> None:
    write(tmp_path / "auth.json", {"auths": {"r.example": {"auth": base64.b64encode(b"me:a:\xff").decode()}}})
    assert find_login("r.example", {"REGISTRY_AUTH_FILE": f"{tmp_path}/auth.json"}) == RegistryLogin("me", b"a:\xff")


def test_a_pipe_in_place_of_a_credentials_file_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "auth.json")
    assert find_login("r.example", {"REGISTRY_AUTH_FILE": f"{tmp_path}/auth.json"}) is None
