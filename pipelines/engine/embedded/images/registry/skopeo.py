"""Skopeo as a process: the one way images come from registries and go to them."""

from __future__ import annotations

import asyncio
import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from pipelines.engine.embedded.errors import EmbeddedUnavailable, ImageDamaged, RegistrySilent
from pipelines.engine.embedded.images.logins import credentials_in_memory, path_of
from pipelines.engine.embedded.images.registry.skopeo_errors import skopeo_error
from pipelines.foundation.process import running
from pipelines.foundation.process.result import STDERR_KEPT, OutputTooLarge, Tail, completed

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping, Sequence

    from pipelines.foundation.process.handle import Process
    from pipelines.foundation.registry_login import RegistryLogin

PROGRAM = "skopeo"
POLICIES = ("/etc/containers/policy.json", ".config/containers/policy.json")
LARGEST = 4 << 20  # bytes of a manifest or configuration; registries and skopeo refuse more
CHECKS = 20  # how often a transfer is looked at within the time it may stand still


@dataclass(frozen=True, slots=True)
class RegistryTimeouts:
    """How long a registry is waited for.

    Attributes:
        answer_s: seconds it has to answer a small question; skopeo itself would wait for ever.
        stall_s: seconds in which a transfer has to bring at least `least` bytes.
        commit_s: the same while we send: a registry may be busy for long with the last of a layer that it got.
        least: bytes, read and written together.
    """

    answer_s: float = 15.0
    stall_s: float = 60.0
    commit_s: float = 300.0
    least: int = 64 << 10


@dataclass(frozen=True, slots=True)
class RegistryAccess:
    """How registries are asked: with which credentials (by registry), and how long they are waited for."""

    logins: Mapping[str, RegistryLogin] = field(default_factory=dict, repr=False)
    timeouts: RegistryTimeouts = field(default_factory=RegistryTimeouts)


async def ask(arguments: Sequence[str], registry: str, access: RegistryAccess) -> bytes:
    """Run skopeo for a small document and return what it printed. For the rest see `transfer`.

    Raises:
        ImageDamaged: it printed more than a document may have.
    """
    return await _run(arguments, access, registry, lambda process: _answered(process, registry, access.timeouts.answer_s))


async def transfer(arguments: Sequence[str], registry: str, access: RegistryAccess, *, stall_s: float) -> None:
    """Run skopeo to its end. Cancelling ends the process first.

    Args:
        arguments: subcommand and flags; ``--authfile`` and a missing signature policy are cared for here.
        registry: whom it talks to, for messages.
        access: the credentials, and how many bytes have to move
        stall_s: within so many seconds.

    Raises:
        EmbeddedUnavailable: skopeo is not installed.
        ImageNotFound: the registry has not what was asked for.
        RegistryError: the registry cannot be reached, refuses, or stops answering.
        DiskFull: no room is left.
        ImageError: with skopeo's reason.
    """
    await _run(arguments, access, registry, lambda process: _moving(process, registry, stall_s, access.timeouts.least))


async def _run(arguments: Sequence[str], access: RegistryAccess, registry: str, wait: Callable[[Process], Awaitable[None]]) -> bytes:
    out, err = bytearray(), Tail(STDERR_KEPT)

    def keep(data: bytes) -> None:
        out.extend(data)
        if len(out) > LARGEST:
            raise OutputTooLarge(PROGRAM, LARGEST)

    with credentials_in_memory(access.logins) as file:
        credentials = [] if file is None else ["--authfile", path_of(file)]
        command = [PROGRAM, *_policy(), arguments[0], *credentials, *arguments[1:]]
        try:
            process = await running.start(command, on_stdout=keep, on_stderr=err.add, inherited=[] if file is None else [file])
        except FileNotFoundError:
            raise EmbeddedUnavailable("skopeo pulls and pushes images, and it is not installed: install the package skopeo") from None
        try:
            await wait(process)
            code = process.finished.result()
        except OutputTooLarge:
            await process.stop()
            part = "configuration" if "--config" in arguments else "manifest"
            raise ImageDamaged(part, f"it has more than {LARGEST >> 20} MiB") from None
        except BaseException:
            await process.stop()
            raise
    done = completed(PROGRAM, code, bytes(out), err.bytes())
    if done.code:
        raise skopeo_error(done.complaint, done.code, registry)
    return done.stdout


async def _answered(process: Process, registry: str, answer_s: float) -> None:
    done, _ = await asyncio.wait({process.finished}, timeout=answer_s)
    if not done:
        raise RegistrySilent(f"the registry {registry} gave no answer within {answer_s:g} s", registry)


async def _moving(process: Process, registry: str, stall_s: float, least: int) -> None:
    """Wait for the end for as long as bytes move."""
    clock = asyncio.get_running_loop().time
    seen, since = 0, clock()
    while not (await asyncio.wait({process.finished}, timeout=stall_s / CHECKS))[0]:
        moved = _moved(process.pid)
        if moved is None or moved - seen >= least:
            seen, since = moved or 0, clock()
        elif clock() - since >= stall_s:
            raise RegistrySilent(f"the registry {registry} moved less than {least >> 10} KiB within {stall_s:g} s", registry)


def _moved(pid: int) -> int | None:
    """Bytes a process has read and written so far, sockets included (proc(5), /proc/pid/io); None where the kernel does not tell."""
    try:
        lines = Path(f"/proc/{pid}/io").read_text().splitlines()
    except OSError:
        return None
    facts = dict(line.split(": ") for line in lines)
    return int(facts["rchar"]) + int(facts["wchar"])


def _policy() -> list[str]:
    """Skopeo refuses to work without a signature policy; where the machine has none, everything is accepted, as docker does."""
    home = os.environ.get("HOME", "/")
    return [] if any((Path(home) / place).exists() for place in POLICIES) else ["--insecure-policy"]
