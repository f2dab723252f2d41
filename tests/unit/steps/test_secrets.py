from __future__ import annotations

from pathlib import Path

import pytest

from pipelines.errors import CredentialsError
from pipelines.model import SecretRef
from pipelines.steps.common.local_secrets import is_local, read_local
from pipelines.steps.common.secrets import located


@pytest.mark.parametrize(
    ("uri", "expected"),
    [
        ("env://TOKEN", "env://TOKEN"),
        ("cmd://pass show x", "cmd://pass show x"),
        ("vault://a/b", "vault://a/b"),
        ("file://pip.conf", "file:///project/pip.conf"),
        ("file://./a/pip.conf", "file:///project/a/pip.conf"),
        ("file:///etc/pip.conf", "file:///etc/pip.conf"),
        ("file://~/pip.conf", "file:///home/dev/pip.conf"),
    ],
)
def test_files_are_found_from_the_project(monkeypatch: pytest.MonkeyPatch, uri: str, expected: str) -> None:
    monkeypatch.setenv("HOME", "/home/dev")
    assert located(SecretRef(uri), Path("/project")) == expected


@pytest.mark.parametrize(
    ("uri", "value"),
    [
        ("env://TOKEN", "from the variable"),
        ("file://secrets/token", "from the file\n"),
        ("file:///nonexistent/token", None),
        ("env://UNSET", None),
        ("file://~no-such-user/token", None),
        ("file://secrets", None),
    ],
)
def test_a_local_secret_is_its_value_or_one_clean_error(uri: str, value: str | None, tmp_path: Path) -> None:
    (tmp_path / "secrets").mkdir()
    (tmp_path / "secrets/token").write_text("from the file\n")
    secret, environ = SecretRef(uri), {"TOKEN": "from the variable"}
    assert is_local(secret)
    if value is not None:
        assert read_local(secret, tmp_path, environ) == value
        return
    with pytest.raises(CredentialsError) as raised:
        read_local(secret, tmp_path, environ)
    assert uri in raised.value.message
    assert raised.value.cause


def test_the_home_folder_of_nobody_is_a_clean_error_for_the_engine_too() -> None:
    with pytest.raises(CredentialsError, match="~no-such-user"):
        located(SecretRef("file://~no-such-user/token"), Path("/project"))


def test_a_command_is_not_read_here() -> None:
    assert not is_local(SecretRef("cmd://pass show x"))
