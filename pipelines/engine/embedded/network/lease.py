"""A container's place in the session's network."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable


@dataclass(frozen=True, slots=True, eq=False)
class Lease:
    """A network namespace with an address on the session's switch, for one container at a time.

    Args:
        ip: its IPv4 address, reachable from the other containers of the session.
        netns: a path a process of this engine can open to join the namespace.
        resolv_conf: the text of the container's /etc/resolv.conf.
    """

    ip: str
    netns: str
    resolv_conf: str
    give_back: Callable[[Lease, bool], None] = field(repr=False)

    def release(self, *, reuse: bool = True) -> None:
        """The container has ended. `reuse=False` when it could have changed the namespace (it was privileged)."""
        self.give_back(self, reuse)
