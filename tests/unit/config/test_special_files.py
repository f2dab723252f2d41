"""Configuration from what is not a regular file."""

from __future__ import annotations

import os
import threading
from pathlib import Path

import pytest

from pipelines.config.files import read_toml
from pipelines.errors import ConfigError
from pipelines.steps.catalog import load


def test_a_configuration_may_come_through_a_pipe(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    writer = threading.Thread(target=lambda: (tmp_path / "pipe").write_text('[project]\r\nname = "o"\r\n'))
    writer.start()
    assert read_toml(tmp_path / "pipe", named=True) == {"project": {"name": "o"}}
    writer.join()


def test_no_device_is_read() -> None:
    with pytest.raises(ConfigError, match="/dev/zero cannot be read: not a regular file but a character device"):
        read_toml(Path("/dev/zero"), named=True)


def test_pipes_beside_the_configuration_are_not_waited_for(tmp_path: Path) -> None:
    (tmp_path / "lockgate.toml").write_text('[project]\nname = "o"\n')
    (tmp_path / ".lockgate").mkdir()
    for name in ("lockgate.local.toml", "pyproject.toml", ".lockgate/images.lock"):
        os.mkfifo(tmp_path / name)
    assert load(tmp_path, environ={}).project.name == "o"
