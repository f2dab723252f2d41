"""Secret values that can be read before anything runs, so that they are masked from the first line on."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from pipelines.model import Project

_TOKENS = ("DAGGER_SESSION_TOKEN", "DAGGER_CLOUD_TOKEN")
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


def _uris(project: Project) -> Iterator[str]:
    if project.registry is not None and project.registry.auth is not None:
        yield project.registry.auth
    for image in project.images.values():
        yield from image.secrets.values()
    for test in project.tests.values():
        yield from test.secrets.values()


def _read(root: Path, name: str) -> str | None:
    try:
        path = root / Path(name).expanduser()
        return path.read_text(encoding="utf-8", errors="surrogateescape") if path.stat().st_size <= _LARGEST else None
    except (OSError, RuntimeError):
        return None
