"""Network namespaces without a process: made and entered by one thread, held by a file descriptor."""

from __future__ import annotations

import os
from contextlib import contextmanager
from typing import TYPE_CHECKING

from pipelines.engine.embedded import kernel

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_OWN = "/proc/thread-self/ns/net"


def new_namespace() -> int:
    """Move the calling thread into a new network namespace; returns a descriptor that keeps the namespace."""
    kernel.unshare(kernel.CLONE_NEWNET)
    return os.open(_OWN, os.O_RDONLY | os.O_CLOEXEC)


@contextmanager
def entered(namespace: int) -> Iterator[None]:
    """Have the calling thread in `namespace` for a while."""
    own = os.open(_OWN, os.O_RDONLY | os.O_CLOEXEC)
    try:
        kernel.setns(namespace, kernel.CLONE_NEWNET)
        yield
    finally:
        kernel.setns(own, kernel.CLONE_NEWNET)
        os.close(own)


@contextmanager
def returning() -> Iterator[None]:
    """Bring the calling thread back into its network namespace, wherever it went."""
    own = os.open(_OWN, os.O_RDONLY | os.O_CLOEXEC)
    try:
        yield
    finally:
        kernel.setns(own, kernel.CLONE_NEWNET)
        os.close(own)


def pin(namespace: int, file: Path) -> None:
    """Make `namespace` a file too, for programs that give up the right to look into this process before they open it."""
    file.touch()
    kernel.mount(path(namespace), file, flags=kernel.MS_BIND)


def unpin(file: Path) -> None:
    """Remove the file that `pin` made; the namespace stays as long as something else holds it."""
    kernel.umount(file, kernel.MNT_DETACH)
    file.unlink()


def path(namespace: int) -> str:
    """What other processes open to join the namespace, as long as this process lives and keeps the descriptor."""
    return f"/proc/{os.getpid()}/fd/{namespace}"
