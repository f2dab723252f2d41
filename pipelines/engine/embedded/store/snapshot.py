"""Snapshot: an immutable file system, as a stack of layers."""

from __future__ import annotations

from dataclasses import dataclass

MAX_DEPTH = 128  # layers under one mount: 128 names of ours fit into the one page the kernel takes as mount options


@dataclass(frozen=True, slots=True)
class Snapshot:
    """An immutable file system.

    Attributes:
        id: a digest of how it came to be (an operation's content key, a chain of layer digests): equal ids mean equal content.
        layers: names of the store's layers, bottom first; empty for `SCRATCH`.
    """

    id: str
    layers: tuple[str, ...]


SCRATCH = Snapshot("scratch", ())
