from __future__ import annotations

from pathlib import Path

import pytest

from pipelines.model import SecretRef
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
