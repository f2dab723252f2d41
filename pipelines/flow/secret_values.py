"""Secret values that can be read before anything runs, so that they are masked from the first line on."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from pipelines.foundation.regular_files import read_text
from pipelines.model import SecretRef, values_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from pipelines.model import Project

_TOKENS = ("DAGGER_SESSION_TOKEN", "DAGGER_CLOUD_TOKEN")
_LARGEST = 1 << 20


def secret_values(project: Project, environ: Mapping[str, str]) -> Iterator[str]:
    """Values behind the secrets of a project that are in the environment or in files, and the tokens of Dagger.

    One that cannot be read is left to the step that needs it; the command of a `cmd://` is run by that step alone.
    """
    yield from (environ[name] for name in _TOKENS if environ.get(name))
    for secret in values_of(SecretRef, project):
        value = _value(secret, project.root, environ)
        if value:
            yield value


def _value(secret: SecretRef, root: Path, environ: Mapping[str, str]) -> str | None:
    if secret.scheme == "env":
        return environ.get(secret.name)
    return _read(root, secret.name) if secret.scheme == "file" else None


def _read(root: Path, name: str) -> str | None:
    try:
        path = root / Path(name).expanduser()
        return read_text(path, errors="surrogateescape") if path.stat().st_size <= _LARGEST else None
    except (OSError, RuntimeError):
        return None
