"""Where set-up keeps things: one cache folder, one state folder, one folder with settings, the checkout."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True, kw_only=True)
class Paths:
    """`cache` may be deleted at any time and costs only time; `state` says what this user has running."""

    checkout: Path
    cache: Path
    state: Path
    config: Path
    """Settings for every project of this user (pipelines/config/places.py reads them)."""

    @classmethod
    def from_environment(cls, environ: Mapping[str, str], checkout: Path) -> Paths:
        """LOCKGATE_CACHE, else the XDG folders; a relative XDG path counts as unset (XDG base directory specification)."""
        home = Path(environ.get("HOME") or "/root")
        cache = environ.get("LOCKGATE_CACHE")
        named = environ.get("LOCKGATE_CONFIG_DIRS", "").partition(os.pathsep)[0]
        return cls(
            checkout=checkout,
            cache=Path(cache).resolve() if cache else _xdg(environ, "XDG_CACHE_HOME", home / ".cache"),
            state=_xdg(environ, "XDG_STATE_HOME", home / ".local/state"),
            config=Path(named).resolve() if named else _xdg(environ, "XDG_CONFIG_HOME", home / ".config"),
        )

    @property
    def venv(self) -> Path:
        return self.checkout / ".venv"

    @property
    def tools(self) -> Path:
        return self.cache / "tools"

    @property
    def layouts(self) -> Path:
        return self.cache / "images"

    @property
    def logs(self) -> Path:
        return self.cache / "logs"

    @property
    def registry_data(self) -> Path:
        return self.cache / "registry"

    @property
    def registry_record(self) -> Path:
        return self.state / "registry.json"

    @property
    def projects(self) -> tuple[Path, ...]:
        """Folders with a lockgate.toml of this repository: each gets the lock file and this machine's settings."""
        return (self.checkout, self.checkout / "examples/shop")


def _xdg(environ: Mapping[str, str], name: str, default: Path) -> Path:
    value = Path(environ.get(name, ""))
    return (value if value.is_absolute() else default) / "lockgate"
