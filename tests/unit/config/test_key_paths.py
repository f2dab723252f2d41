"""Keys and their paths, as they are read from the command line and shown in messages."""

from __future__ import annotations

import pytest

from pipelines.config.key_paths import dotted, key_path


@pytest.mark.parametrize(
    ("text", "path"),
    [
        ("jobs", ("jobs",)),
        ("tests.unit.timeout", ("tests", "unit", "timeout")),
        ('images.shop.labels."com.example.team"', ("images", "shop", "labels", "com.example.team")),
        ("images.'a b'.target", ("images", "a b", "target")),
        ('images."open', ("images", '"open')),  # not TOML: as it stands, for the message about the unknown key
    ],
)
def test_the_path_of_a_key(text: str, path: tuple[str, ...]) -> None:
    assert key_path(text) == path


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ((), ""),
        (("scan", "waivers", 0, "id"), "scan.waivers[0].id"),
        (("images", "a b"), 'images."a b"'),
        (("ü",), '"ü"'),
        (("a\x1b[31m",), '"a\\u001b[31m"'),
        (("x" * 101,), f'"{"x" * 100}"'),
    ],
)
def test_how_a_path_is_shown(path: tuple[str | int, ...], text: str) -> None:
    assert dotted(path) == text
