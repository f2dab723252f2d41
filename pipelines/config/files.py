"""Reading configuration files, and every way that goes wrong, as one clean message."""

from __future__ import annotations

import tomllib
from typing import TYPE_CHECKING, Any

from pipelines.errors import ConfigError
from pipelines.foundation.regular_files import read_bytes, read_named

if TYPE_CHECKING:
    from pathlib import Path


def read_text(path: Path, *, named: bool = False) -> str:
    """The text of a regular file, without the byte order mark that some editors write; of a file a person `named`, also that of a pipe.

    Raises:
        ConfigError: it cannot be read, or is not UTF-8.
    """
    try:
        return (read_named(path) if named else read_bytes(path)).decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise ConfigError(f"{path} is not UTF-8 text", cause=str(error), next_step="save the file as UTF-8") from error
    except OSError as error:
        raise ConfigError(f"{path} cannot be read: {error.strerror or error}") from error


def read_toml(path: Path, *, named: bool = False) -> dict[str, Any]:
    """The tables of a TOML file; `named` as for `read_text`.

    Raises:
        ConfigError: it cannot be read, or is not TOML (with line and column).
    """
    try:
        return tomllib.loads(read_text(path, named=named))
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"{path} is not valid TOML", problems=(str(error),), next_step=f"correct {path.name}") from error
    except RecursionError as error:
        raise ConfigError(f"{path} is nested too deeply to be a configuration") from error
