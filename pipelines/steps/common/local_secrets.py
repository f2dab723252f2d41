"""Secrets that this process can read itself, without an engine: in its environment, and in files of this machine."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from pipelines.errors import CredentialsError
from pipelines.foundation.regular_files import read_text

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pipelines.model import SecretRef

REMEDY = "set what its URI in the configuration names, and run again"
_SCHEMES = frozenset({"env", "file"})


def is_local(secret: SecretRef) -> bool:
    """Whether this process can read it itself; a command is for the engine alone to run."""
    return secret.scheme in _SCHEMES


def secret_file(secret: SecretRef, root: Path) -> Path:
    """The file of a `file://` secret: `~` is the home folder, any other path is relative to the project at `root`.

    Raises:
        CredentialsError: the user whose home folder it names does not exist.
    """
    try:
        return root / Path(secret.name).expanduser()
    except RuntimeError as error:
        raise CredentialsError(f"the secret {secret} cannot be read", cause=str(error), next_step=REMEDY) from error


def read_local(secret: SecretRef, root: Path, environ: Mapping[str, str]) -> str:
    """The value of a local secret; bytes that are not UTF-8 are lone surrogates in it (`surrogateescape`).

    Raises:
        CredentialsError: the variable is not set, or the file cannot be read.
    """
    if secret.scheme == "env":
        value = environ.get(secret.name)
        if value is None:
            raise CredentialsError(f"the secret {secret} cannot be read", cause="the variable is not set", next_step=REMEDY)
        return value
    try:
        return read_text(secret_file(secret, root), errors="surrogateescape")
    except (OSError, ValueError) as error:
        raise CredentialsError(f"the secret {secret} cannot be read", cause=str(error), next_step=REMEDY) from error
