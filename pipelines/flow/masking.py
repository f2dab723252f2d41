"""A result without secrets: every text in it masked, and the text files it points to."""

from __future__ import annotations

import contextlib
import dataclasses
import os
import stat
from collections.abc import Mapping
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, TypeVar

from pipelines.foundation.files import replacing
from pipelines.foundation.regular_files import reading
from pipelines.model import Case, Check, Finding, Location, PublishedImage, Result, Waiver

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pipelines.foundation.redaction import Redactor

_VALUES = (Case, Check, Finding, Location, PublishedImage, Result, Waiver)
_NAMES = frozenset({"artifacts", "error_kind", "id", "kind", "log", "name", "needs"})
"""Names from the configuration and paths of ours: masked, they would lead nowhere. (A test case's name comes from a program.)"""
_KEPT = {Case: frozenset[str](), PublishedImage: frozenset({"name", "repository", "digest", "tags", "platforms", "version"})}
"""The same for values that have other fields."""
_BLOCK = 1 << 20
Value = TypeVar("Value")


def masked_copy(value: Value, redactor: Redactor) -> Value:
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
        kept = _KEPT.get(type(value), _NAMES)
        fields = {field.name: getattr(value, field.name) for field in dataclasses.fields(value) if field.name not in kept}
        changed = {name: clean for name, part in fields.items() if (clean := _masked(part, redactor)) is not part and clean != part}
        return dataclasses.replace(value, **changed) if changed else value
    return value


def mask_files(paths: tuple[str, ...], redactor: Redactor) -> tuple[OSError, ...]:
    """Mask secrets in the files a step left; a file without one is not touched, one that cannot be cleaned is removed (see the errors)."""
    errors = []
    for path in map(Path, paths if redactor else ()):
        try:
            mask_file(path, redactor)
        except OSError as error:
            errors.append(error)
            with contextlib.suppress(OSError):
                path.unlink(missing_ok=True)
    return tuple(errors)


def mask_file(path: Path, redactor: Redactor) -> None:
    """Mask secrets in a file of any size; nothing is written when there is none.

    Raises:
        OSError: it cannot be read, or not be written.
    """
    if path.is_symlink() or not path.is_file():
        return
    with reading(path) as file:
        if all(before == after for before, after in _pieces(file, redactor)):
            return
        file.seek(0)
        with replacing(path, mode=stat.S_IMODE(os.fstat(file.fileno()).st_mode)) as clean:
            for _, after in _pieces(file, redactor):
                clean.write(after)


def _pieces(file: IO[bytes], redactor: Redactor) -> Iterator[tuple[bytes, bytes]]:
    """What is read, and what is left of it, both up to the same place as long as nothing is masked."""
    stream, waiting = redactor.byte_stream(), b""
    while block := file.read(_BLOCK):
        waiting += block
        given = stream.feed(block)
        yield waiting[: len(given)], given
        waiting = waiting[len(given) :]
    yield waiting, stream.close()
