"""A result without secrets: every text in it masked, and the text files it points to."""

from __future__ import annotations

import contextlib
import dataclasses
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from pipelines.model import Case, Check, Finding, Location, Result, Waiver

if TYPE_CHECKING:
    from pipelines.foundation.redaction import Redactor

_VALUES = (Case, Check, Finding, Location, Result, Waiver)
_NAMES = frozenset({"artifacts", "error_kind", "id", "kind", "log", "name", "needs"})
"""Names from the configuration and paths of ours: masked, they would lead nowhere. (A test case's name comes from a program.)"""
_LARGEST_FILE = 64 << 20
Value = TypeVar("Value")


def masked(value: Value, redactor: Redactor) -> Value:
    """The value with every text in it masked; values that are none of ours stay as they are, they are not reported."""
    return _masked(value, redactor) if redactor else value


def _masked(value: Any, redactor: Redactor) -> Any:
    if type(value) is str:
        return redactor.text(value)
    if isinstance(value, tuple) and type(value) is tuple:
        return tuple(_masked(part, redactor) for part in value)
    if isinstance(value, Mapping):
        return {key: _masked(part, redactor) for key, part in value.items()}
    if isinstance(value, _VALUES):
        kept = () if isinstance(value, Case) else _NAMES
        fields = {field.name: getattr(value, field.name) for field in dataclasses.fields(value) if field.name not in kept}
        changed = {name: clean for name, part in fields.items() if (clean := _masked(part, redactor)) is not part and clean != part}
        return dataclasses.replace(value, **changed) if changed else value
    return value


def mask_files(paths: tuple[str, ...], redactor: Redactor) -> tuple[OSError, ...]:
    """Mask secrets in the files a step left; a file without one is not touched, one that cannot be cleaned is removed (see the errors)."""
    errors = []
    for path in map(Path, paths if redactor else ()):
        try:
            _mask_file(path, redactor)
        except OSError as error:
            errors.append(error)
            with contextlib.suppress(OSError):
                path.unlink(missing_ok=True)
    return tuple(errors)


def _mask_file(path: Path, redactor: Redactor) -> None:
    if not path.is_file() or path.is_symlink() or path.stat().st_size > _LARGEST_FILE:
        return
    text = path.read_bytes().decode("utf-8", "surrogateescape")
    clean = redactor.text(text)
    if clean != text:
        path.write_bytes(clean.encode("utf-8", "surrogateescape"))
