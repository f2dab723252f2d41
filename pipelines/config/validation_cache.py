"""Outcomes of validation, kept from one start to the next: importing pydantic and building its schemas takes three times as long as the
rest of `lockgate plan`.

An outcome is found again by all it depends on: the tables as they are after every file, variable and flag; the code of this package that
validates, by the bytes of its files (200 files: 4 ms); and the version of pydantic. Nothing is kept where a table comes from code that is
not this package's, or where the package is there without its sources. An outcome holds what the configuration holds (references to
secrets, never their values), in the user's cache folder, readable by the user alone; a file of somebody else is not read.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipelines.foundation.files import replace_text
from pipelines.foundation.regular_files import read_text

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from pipelines.config.section import Section

_FORM = 1
_PACKAGE = Path(__file__).resolve().parents[1]
_CODE = ("config", "foundation", "model", "steps")
_MOST_FILES = 64
_OTHERS_MAY_WRITE = 0o022


class ValidationCache:
    """Outcomes in a folder; without one, nothing is kept."""

    def __init__(self, folder: Path | None, code: str) -> None:
        self._folder = folder
        self._code = code

    def outcome(self, what: str, tables: object, make: Callable[[], Any]) -> Any:
        """The outcome of `make()` for these tables, as a value of JSON; an outcome that is an exception is not kept.

        `what` says what is made of them.
        """
        if self._folder is None:
            return json.loads(json.dumps(make()))
        name = hashlib.sha256(f"{_FORM}\0{self._code}\0{what}\0{tables!r}".encode(errors="surrogateescape")).hexdigest()
        file = self._folder / f"{name}.json"
        with contextlib.suppress(OSError, ValueError):
            return json.loads(_own_text(file))
        text = json.dumps(make())
        self._keep(file, text)
        return json.loads(text)

    def _keep(self, file: Path, text: str) -> None:
        """Write the file, whole or not at all; a cache that cannot be written is none."""
        with contextlib.suppress(OSError):
            if not _is_ours(file.parent):
                return
            file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            replace_text(file, text, mode=0o600)
            for old in _oldest(file.parent):
                old.unlink(missing_ok=True)


def cache_for(sections: Sequence[Section], environ: Mapping[str, str]) -> ValidationCache:
    """The cache of the user, for files with these sections."""
    base = _cache_folder(environ)
    loaders = [Path(section.table.__code__.co_filename) for section in sections if hasattr(section.table, "__code__")]
    ours = len(loaders) == len(sections) and all(file.is_relative_to(_PACKAGE) for file in loaders)
    if base is None or not ours or not Path(__file__).is_file():
        return ValidationCache(None, "")
    code = hashlib.sha256(repr([section.key for section in sections]).encode() + sys.version.encode())
    try:
        for file in validating_code():
            code.update(f"\0{file}\0".encode(errors="surrogateescape") + file.read_bytes())
    except OSError:
        return ValidationCache(None, "")
    return ValidationCache(base / "config", code.hexdigest())


def _cache_folder(environ: Mapping[str, str]) -> Path | None:
    """The user's folder for what can be made again; relative paths count as unset (XDG base directory specification)."""
    places = (("LOCKGATE_CACHE", "."), ("XDG_CACHE_HOME", "lockgate"), ("HOME", ".cache/lockgate"))
    found = ((environ.get(name, ""), below) for name, below in places)
    return next((Path(place, below) for place, below in found if os.path.isabs(place)), None)  # noqa: PTH117 - an empty text is not a path


def validating_code() -> Iterator[Path]:
    """Every file that takes part."""
    for folder in _CODE:
        for place, folders, names in os.walk(_PACKAGE / folder):
            folders[:] = sorted(set(folders) - {"__pycache__"})
            yield from (Path(place, name) for name in sorted(names) if name.endswith(".py"))
    spec = find_spec("pydantic")
    if spec is not None and spec.origin is not None:
        yield Path(spec.origin).with_name("version.py")


def _is_ours(folder: Path) -> bool:
    """Whether a folder, or the one that it would be made in, belongs to this user: root makes none in the home of somebody else."""
    there = next(place for place in (folder, *folder.parents) if place.exists())
    return there.stat().st_uid == os.geteuid()


def _own_text(file: Path) -> str:
    """The text of a file that nobody but this user can have written.

    Raises:
        OSError: there is no such file.
    """
    for place in (file.parent, file):
        found = place.stat(follow_symlinks=False)
        if found.st_uid != os.geteuid() or found.st_mode & _OTHERS_MAY_WRITE:
            raise PermissionError(f"{place} may come from somebody else")
    return read_text(file)


def _oldest(folder: Path) -> list[Path]:
    """What is too much: the files that were written first."""
    files = sorted(folder.glob("*.json"), key=lambda file: file.stat().st_mtime_ns, reverse=True)
    return files[_MOST_FILES:]
