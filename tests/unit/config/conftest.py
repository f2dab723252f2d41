"""A project folder with a configuration in it, and `load` as the tests call it."""

from __future__ import annotations

import textwrap
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pytest

from pipelines.errors import ConfigError
from pipelines.steps.catalog import load

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from pipelines.config import Loaded

ALONE = {"LOCKGATE_CONFIG_DIRS": "/nonexistent/lockgate"}
"""An environment without settings of the user or the machine."""

SMALL = """
[project]
name = "shop"
"""


@dataclass
class Folder:
    path: Path
    environ: dict[str, str] = field(default_factory=lambda: dict(ALONE))

    def write(self, name: str, text: str) -> Path:
        file = self.path / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(textwrap.dedent(text), encoding="utf-8")
        return file

    def load(self, text: str | None = None, **overrides: object) -> Loaded:
        if text is not None:
            self.write("lockgate.toml", text)
        return load(self.path, environ=self.environ, overrides={key.replace("__", "."): value for key, value in overrides.items()})

    def problems(self, text: str) -> tuple[str, ...]:
        """The problem lines of a configuration that must be refused; `[project]` is added."""
        with pytest.raises(ConfigError) as caught:
            self.load(textwrap.dedent(text) + ("" if "[project]" in text else SMALL))
        assert caught.value.exit_code == 2
        return caught.value.problems


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    return Folder(tmp_path)


@pytest.fixture
def refused(folder: Folder) -> Callable[[str], tuple[str, ...]]:
    return folder.problems
