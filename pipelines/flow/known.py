"""Secret values that can be read before anything runs, so that they are masked from the first line on."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from pipelines.foundation.regular_files import read_text

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pipelines.model import Project

_TOKENS = ("DAGGER_SESSION_TOKEN", "DAGGER_CLOUD_TOKEN")
_URI = re.compile("(env|file)://.")
_LARGEST = 1 << 20


def known_secrets(project: Project, environ: Mapping[str, str]) -> Iterator[str]:
    """Values behind the env:// and file:// URIs of a project. One that cannot be read is left to the step that needs it; a cmd:// is run
    by the step alone.
    """
    yield from (environ[name] for name in _TOKENS if environ.get(name))
    for uri in _uris(project):
        scheme, _, rest = uri.partition("://")
        value = environ.get(rest) if scheme == "env" else _read(project.root, rest) if scheme == "file" else None
        if value:
            yield value


def _uris(value: object) -> Iterator[str]:
    """Every secret URI in a value of the model, wherever it stands."""
    if isinstance(value, str):
        if _URI.match(value):
            yield value
    elif isinstance(value, Mapping):
        for part in value.values():
            yield from _uris(part)
    elif isinstance(value, list | tuple):
        for part in value:
            yield from _uris(part)
    elif dataclasses.is_dataclass(value) and not isinstance(value, type):
        for field in dataclasses.fields(value):
            yield from _uris(getattr(value, field.name))


def _read(root: Path, name: str) -> str | None:
    try:
        path = root / Path(name).expanduser()
        return read_text(path, errors="surrogateescape") if path.stat().st_size <= _LARGEST else None
    except (OSError, RuntimeError):
        return None
