"""Secrets: given by the client, or read from where a URI points. Keys never hold their values."""

from __future__ import annotations

import asyncio
import os
from functools import partial
from pathlib import Path

from pipelines.engine.embedded.errors import InvalidInput, SecretError
from pipelines.engine.embedded.ops.values.states import SecretState
from pipelines.foundation.process.blocking import run_blocking
from pipelines.foundation.process.result import ProcessError
from pipelines.foundation.regular_files import read_named

COMMAND_S = 300.0  # seconds the command of a secret may take
LARGEST = 1 << 20  # bytes of a secret that a command prints
SCHEMES = ("env", "file", "cmd")


def given_secret(name: str, plaintext: str) -> SecretState:
    """A secret whose value the client sent; the name is its identity."""
    value = plaintext.encode()
    return SecretState(name, f"name:{name}", "", lambda: value)


def secret_from_uri(workdir: Path, uri: str, cache_key: str | None) -> SecretState:
    """A secret behind `env://NAME`, `file://PATH` or `cmd://COMMAND`.

    Raises:
        InvalidInput: another scheme, or none.
    """
    scheme, separator, rest = uri.partition("://")
    if not separator or scheme not in SCHEMES:
        known = ", ".join(f"{name}://" for name in SCHEMES)
        raise InvalidInput(f"unsupported secret provider: {scheme!r}; the embedded engine reads {known}, others need a Dagger engine")
    readers = {"env": _from_env, "file": lambda path: _from_file(workdir, path), "cmd": _from_command}
    identity = f"key:{cache_key}" if cache_key else f"uri:{uri}"
    return SecretState(rest if scheme == "env" else uri, identity, uri, lambda: readers[scheme](rest))


class SecretValues:
    """The values of a session's secrets, each read once: those that ask at the same time wait for one reading.

    A command that failed is not run again: what it asks of a person (a password, a touch) is asked once. What else could not be read
    may be there the next time.
    """

    def __init__(self) -> None:
        self._readings: dict[str, asyncio.Task[bytes]] = {}

    async def of(self, secret: SecretState) -> bytes:
        """The value of a secret.

        Raises:
            SecretError: it cannot be read.
        """
        reading = self._readings.get(secret.identity)
        if reading is None:
            reading = self._readings[secret.identity] = asyncio.create_task(asyncio.to_thread(secret.read))
            reading.add_done_callback(partial(self._read, secret))
        return await asyncio.shield(reading)

    def _read(self, secret: SecretState, reading: asyncio.Task[bytes]) -> None:
        failed = reading.cancelled() or reading.exception() is not None
        if failed and not secret.uri.startswith("cmd://"):
            del self._readings[secret.identity]


def _from_env(name: str) -> bytes:
    value = os.environ.get(name)
    if value is None:
        raise SecretError(f"secret env://{name}: the variable is not set")
    return value.encode()


def _from_file(workdir: Path, path: str) -> bytes:
    try:
        return read_named(workdir / Path(path).expanduser())
    except OSError as error:
        raise SecretError(f"secret file://{path}: {error.strerror}") from error


def _from_command(command: str) -> bytes:
    try:
        done = run_blocking(["/bin/sh", "-c", command], timeout_s=COMMAND_S, stdout_limit=LARGEST)
    except ProcessError as error:
        raise SecretError(f"secret cmd: {error}") from None
    if done.code:
        raise SecretError(f"secret cmd: the command ended with {done.code}: {done.complaint[:200]}")
    return done.stdout.rstrip(b"\n")
