"""Secret values that can be read before anything runs, so that they are masked from the first line on."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipelines.errors import CredentialsError
from pipelines.model import SecretRef, values_of
from pipelines.steps.common.local_secrets import is_local, read_local, secret_file

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

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
    try:
        if not is_local(secret) or (secret.scheme == "file" and secret_file(secret, root).stat().st_size > _LARGEST):
            return None
        return read_local(secret, root, environ)
    except (CredentialsError, OSError):
        return None
