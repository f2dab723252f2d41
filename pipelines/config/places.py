"""The folders that hold settings of the user and of the machine: `settings.toml` and `images.lock`, for every project there.

The user's folder is the one platformdirs names (XDG base directory specification; `~/Library/Application Support` on macOS), worked out
from the given environment alone, so that a test or a service sees only what it was given.
"""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from pipelines.config.origin import Layer

if TYPE_CHECKING:
    from collections.abc import Mapping

VARIABLE = "LOCKGATE_CONFIG_DIRS"
"""Folders to read instead of the user's and the machine's, separated as in PATH; the first counts most and is the user's."""
SETTINGS = "settings.toml"
LOCK = "images.lock"
MACHINE_FOLDER = Path("/etc/lockgate")
_APPLICATION = "lockgate"


@dataclass(frozen=True, slots=True)
class Place:
    """A folder with settings, and which layer of the configuration it is."""

    layer: Layer
    folder: Path

    @property
    def settings(self) -> Path:
        """The settings for every project."""
        return self.folder / SETTINGS

    @property
    def lock(self) -> Path:
        """The images for every project."""
        return self.folder / LOCK


def is_there(file: Path) -> bool:
    """Whether there is a file that this user can see; a folder that the user may not read counts as empty."""
    try:
        return file.is_file()
    except PermissionError:
        return False


def places(environ: Mapping[str, str]) -> tuple[Place, ...]:
    """The folders to read, the one that counts most first; they need not exist."""
    named = [Path(folder) for folder in environ.get(VARIABLE, "").split(os.pathsep) if folder]
    if named:
        return tuple(Place(Layer.MACHINE if number else Layer.USER, folder) for number, folder in enumerate(named))
    own = user_folder(environ)
    machine = Place(Layer.MACHINE, MACHINE_FOLDER)
    return (machine,) if own is None else (Place(Layer.USER, own), machine)


def user_folder(environ: Mapping[str, str], platform: str = sys.platform) -> Path | None:
    """The user's configuration folder; None for an environment without a home. A relative XDG path counts as unset."""
    xdg = environ.get("XDG_CONFIG_HOME", "")
    if os.path.isabs(xdg):  # noqa: PTH117 - an empty text is not a path
        return Path(xdg) / _APPLICATION
    home = environ.get("HOME", "")
    if not home:
        return None
    return Path(home) / ("Library/Application Support" if platform == "darwin" else ".config") / _APPLICATION
