"""Credentials for registries: the user's own and those a pipeline gives, in one file that only skopeo reads."""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from pipelines.engine.embedded.images.references import InvalidReference
from pipelines.foundation.image_reference import ImageReferenceError
from pipelines.foundation.registry_login import RegistryLogin, credentials_files, merged_credentials, registry_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping


def registry(address: str) -> str:
    """The registry that an address (``https://host/v2/``, ``host:5000``, ``host/repository:tag``) is about.

    Raises:
        InvalidReference: the address is none of these.
    """
    try:
        return registry_of(address)
    except ImageReferenceError as error:
        raise InvalidReference(address, error.reason) from None


@contextmanager
def auth_file(logins: Mapping[str, RegistryLogin], environment: Mapping[str, str] | None = None) -> Iterator[Path | None]:
    """A file for ``--authfile`` (mode 0600, in a folder of its own), gone afterwards; None where the user's own files are enough.

    Args:
        logins: by registry; they count more than the user's.
        environment: where to look for the user's files, by default this process's.
    """
    if not logins:
        yield None
        return
    merged = merged_credentials(logins, credentials_files(os.environ if environment is None else environment))
    folder = Path(tempfile.mkdtemp(prefix="lockgate-"))
    try:
        path = folder / "auth.json"
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            json.dump(merged, file)
        yield path
    finally:
        shutil.rmtree(folder)
