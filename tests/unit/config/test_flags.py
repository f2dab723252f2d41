"""The path that a key of the command line stands for."""

from __future__ import annotations

import pytest

from pipelines.config.flags import key_path


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
