"""Which file configures a folder: the nearest ancestor's lockgate.toml, or pyproject.toml with a [tool.lockgate] table."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pipelines.config.files import read_text, read_toml
from pipelines.errors import ConfigError

if TYPE_CHECKING:
    from pathlib import Path

FILE = "lockgate.toml"
LOCAL_FILE = "lockgate.local.toml"
PYPROJECT = "pyproject.toml"


@dataclass(frozen=True, slots=True)
class Found:
    """A configuration file and its tables; `fallback_name` is the name a pyproject.toml gives the project."""

    path: Path
    tables: dict[str, Any]
    fallback_name: str | None = None


def discover(start: Path) -> Found:
    """Find and read the configuration nearest to a folder, going up.

    Raises:
        ConfigError: there is none; two in one folder; or it cannot be read.
    """
    start = start.resolve()
    for folder in (start, *start.parents):
        found = in_folder(folder)
        if found is not None:
            return found
    raise ConfigError(f"no {FILE} in {start} or above", next_step="run `lockgate init` in the project's folder to write one")


def folder_of(start: Path) -> Path | None:
    """The folder of the configuration nearest to a folder, going up; None where there is none. The file itself may be wrong."""
    start = start.resolve()
    for folder in (start, *start.parents):
        if (folder / FILE).is_file() or ((folder / PYPROJECT).is_file() and _pyproject(folder / PYPROJECT) is not None):
            return folder
    return None


def read_config(path: Path) -> Found:
    """Read the file named by --config.

    Raises:
        ConfigError: it cannot be read, or is a pyproject.toml without our table.
    """
    path = path.absolute()
    if path.name != PYPROJECT:
        return Found(path, read_toml(path, named=True))
    found = _pyproject(path)
    if found is None:
        raise ConfigError(f"{path} has no [tool.lockgate] table", next_step="add the table, or give the path of a lockgate.toml")
    return found


def in_folder(folder: Path) -> Found | None:
    """The configuration a folder itself holds, if any."""
    own, shared = folder / FILE, folder / PYPROJECT
    table = _pyproject(shared) if shared.is_file() else None
    if not own.exists() and not own.is_symlink():  # a link to a missing file is an error and is not skipped
        return table
    if table is not None:
        raise ConfigError(f"{own} and [tool.lockgate] in {shared} both configure this folder", next_step="keep one of the two")
    return Found(own, read_toml(own))


def _pyproject(path: Path) -> Found | None:
    # A pyproject.toml without a table of ours is ignored, even if it is broken.
    if "lockgate" not in read_text(path):
        return None
    document = read_toml(path)
    tool = document.get("tool")
    if not isinstance(tool, dict) or "lockgate" not in tool:
        return None
    tables = tool["lockgate"]
    if not isinstance(tables, dict):
        raise ConfigError(f"{path}: tool.lockgate must be a table")
    project = document.get("project")
    name = project.get("name") if isinstance(project, dict) else None
    return Found(path, tables, _project_name(name) if isinstance(name, str) else None)


def _project_name(name: str) -> str:
    """A distribution's name in the normal form of packaging (lower case, single dashes), which is also our form of names."""
    return re.sub(r"[-_.]+", "-", name).lower()
