"""A container's place in the session's network."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(slots=True, eq=False)
class Lease:
    """A network namespace with an address on the session's switch, for one container at a time.

    Args:
        ip: its IPv4 address, reachable from the other containers of the session.
        netns: a path that processes of this machine can open to join the namespace, as long as the switch is open.
        resolv_conf: the text of the container's /etc/resolv.conf.
        modified: the container could change the namespace (it was privileged): nobody else gets it.
    """

    ip: str
    netns: str
    resolv_conf: str
    modified: bool = False
