"""Reading configuration files, and every way that goes wrong, as one clean message."""

from __future__ import annotations

import codecs
import tomllib
from typing import TYPE_CHECKING, Any

from pipelines.config.key_paths import quoted_key
from pipelines.errors import ConfigError
from pipelines.foundation.regular_files import read_named, reading

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

LARGEST = 4 << 20  # bytes; a person writes a few thousand
DEEPEST = 32  # levels of tables and arrays; ours need six
LONGEST_NUMBER = 10**18
_UTF_16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)


def read_text(path: Path, *, named: bool = False) -> str:
    """The text of a regular file, without the byte order mark that some editors write; a file that a person `named` may be a pipe.

    Raises:
        ConfigError: it cannot be read, is not a regular file, is too large, or is not UTF-8.
    """
    data = _bytes(path, named=named)
    if data.startswith(_UTF_16) or b"\0" in data[:2]:
        raise ConfigError(f"{path} is UTF-16 text", next_step="save the file as UTF-8 (in an editor: the encoding of the file)")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise ConfigError(f"{path} is not UTF-8 text", cause=str(error), next_step="save the file as UTF-8") from error


def read_toml(path: Path, *, named: bool = False) -> dict[str, Any]:
    """The tables of a TOML file; `named` as for `read_text`.

    Raises:
        ConfigError: it cannot be read, is not TOML (with line and column), or has values that no configuration needs.
    """
    text = read_text(path, named=named)
    try:
        tables = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"{path} is not valid TOML", problems=(str(error),), next_step=f"correct {path.name}") from error
    except ValueError as error:  # a number of thousands of digits, a date that does not exist
        raise ConfigError(
            f"{path} has a value that cannot be read", problems=(_number(error),), next_step=f"correct {path.name}"
        ) from error
    except RecursionError:
        raise _too_deep(path) from None
    _check(path, tables)
    return tables


def _bytes(path: Path, *, named: bool) -> bytes:
    try:
        data = read_named(path) if named else _first_bytes(path)
    except OSError as error:
        raise ConfigError(f"{path} cannot be read: {error.strerror or error}") from error
    except ValueError as error:  # a NUL in the path
        raise ConfigError(f"{str(path)!r} cannot be read: it is not the path of a file") from error
    if len(data) > LARGEST:
        raise ConfigError(f"{path} has more than {LARGEST >> 20} MiB: that is not a configuration")
    return data


def _first_bytes(path: Path) -> bytes:
    with reading(path, follow=True) as file:
        return file.read(LARGEST + 1)


def _check(path: Path, tables: dict[str, Any]) -> None:
    """Refuse values that are valid TOML but cannot be printed, stored or compared later."""
    for depth, name, value in _everything(tables):
        if depth > DEEPEST:
            raise _too_deep(path)
        if _has_nul(value):
            raise ConfigError(
                f"{path} has a NUL character", problems=(f"{name or 'a key'}: paths, variables and commands cannot contain one",)
            )
        if isinstance(value, int) and abs(value) > LONGEST_NUMBER:
            raise ConfigError(f"{path} has a number that is too large", problems=(f"{name}: expected at most 18 digits",))


def _has_nul(value: object) -> bool:
    return "\0" in value if isinstance(value, str) else isinstance(value, dict) and any("\0" in name for name in value)


def _everything(tables: dict[str, Any]) -> Iterator[tuple[int, str, object]]:
    """Every value with its depth and its key (that of its array), without recursion."""
    waiting: list[tuple[int, str, object]] = [(0, "", tables)]
    while waiting:
        depth, name, value = waiting.pop()
        yield depth, name, value
        if depth > DEEPEST:
            continue
        if isinstance(value, dict):
            waiting.extend((depth + 1, f"{name}.{quoted_key(part)}" if name else quoted_key(part), inner) for part, inner in value.items())
        elif isinstance(value, list):
            waiting.extend((depth + 1, name, inner) for inner in value)


def _too_deep(path: Path) -> ConfigError:
    return ConfigError(f"{path} is nested too deeply to be a configuration")


def _number(error: ValueError) -> str:
    return "a number has too many digits" if "integer string conversion" in str(error) else str(error)
