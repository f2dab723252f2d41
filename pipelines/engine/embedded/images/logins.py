"""Credentials for registries: the user's own and those a pipeline gives, in one file in memory that only skopeo reads."""

from __future__ import annotations

import json
import os
from contextlib import contextmanager
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
def credentials_in_memory(logins: Mapping[str, RegistryLogin], environment: Mapping[str, str] | None = None) -> Iterator[int | None]:
    """A credentials file (containers-auth.json(5)) that has no name and is on no disk: whoever is killed, nothing of it stays.

    A program that inherits the descriptor reads it as often as it likes at `path_of` the descriptor.

    Args:
        logins: by registry; they count more than the user's.
        environment: where to look for the user's files, by default this process's.

    Returns:
        Its descriptor, closed afterwards; None where there are no logins, as the user's own files are enough then.
    """
    if not logins:
        yield None
        return
    merged = merged_credentials(logins, credentials_files(os.environ if environment is None else environment))
    memory = os.memfd_create("credentials", os.MFD_CLOEXEC)
    try:
        os.fchmod(memory, 0o600)
        with os.fdopen(os.dup(memory), "w") as file:
            json.dump(merged, file)
        yield memory
    finally:
        os.close(memory)


def path_of(descriptor: int) -> str:
    """The path by which a process opens a descriptor that it has, from its beginning (proc(5))."""
    return f"/proc/self/fd/{descriptor}"
