"""The switch as the kernel sees it: all calls here are made by one thread, which lives in the switch's network namespace."""

from __future__ import annotations

import contextlib
import os
import shutil
import socket
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from pipelines.engine.embedded.network.namespaces import entered, new_namespace, pin, returning, unpin
from pipelines.engine.embedded.network.netlink import LOOPBACK, Netlink
from pipelines.foundation.process.blocking import run_blocking
from pipelines.foundation.process.result import ProcessError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pipelines.engine.embedded.network.addresses import Subnet

_BRIDGE, _BRIDGE_INDEX = "containers", 2
_PORT, _PORT_INDEX = "eth0", 2
_SYSCTL = Path("/proc/sys/net/ipv4")
_ADMIN_PATHS = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
_HELPER_DEADLINE = 10.0  # seconds nft or iptables may take


@dataclass(frozen=True, slots=True)
class SwitchPort:
    """A namespace on the switch: held by `namespace`, a descriptor."""

    namespace: int
    ip: str


class Wiring:
    """Makes the switch's namespace, shown at `path`, moves the calling thread into it, and adds ports to its bridge.

    Raises:
        OSError: the kernel refuses (no privilege, no bridge support).
    """

    def __init__(self, subnet: Subnet, path: Path) -> None:
        self._subnet = subnet
        self.path = path
        self._count = 0
        self.namespace = new_namespace()
        self._netlink = Netlink()
        pin(self.namespace, path)
        self._netlink.up(LOOPBACK)
        self._netlink.add_bridge(_BRIDGE, _BRIDGE_INDEX)
        self._netlink.add_address(_BRIDGE_INDEX, subnet.gateway, subnet.prefix)
        (_SYSCTL / "ip_forward").write_text("1")

    def masquerade(self) -> None:
        """Have everything that leaves the bridge carry the switch's own address: helpers know only that address.

        What connection tracking cannot place is dropped: older pastas send segments without any flag, which would be taken for the
        switch's own and answered with a reset, and that ends the container's connection.

        Raises:
            OSError: neither nft nor iptables did it.
        """
        network = str(self._subnet.network)
        rule = f'ip saddr {network} oifname != "{_BRIDGE}" masquerade'
        out = f"chain out {{ type nat hook postrouting priority 100; {rule}; }}"
        strays = "chain strays { type filter hook input priority 0; ct state invalid drop; }"
        problem = _call("nft", f"table ip lockgate {{ {out}; {strays}; }}")
        if problem is None:
            return
        nat = ("iptables", "-t", "nat", "-A", "POSTROUTING", "-s", network, "!", "-o", _BRIDGE, "-j", "MASQUERADE")
        stray = ("iptables", "-A", "INPUT", "-m", "conntrack", "--ctstate", "INVALID", "-j", "DROP")
        if also := _call(*nat) or _call(*stray):
            raise OSError(f"{problem}; {also}")

    def refuse(self, addresses: Iterable[str]) -> None:
        """Refuse traffic to these addresses of the machine: the network helper would deliver it."""
        for address in addresses:
            self._netlink.add_unreachable(address)

    def add_port(self, ip: str) -> SwitchPort:
        """A new namespace with one interface and the address `ip`, from which everything is reached through the switch."""
        self._count += 1
        with returning():
            namespace = new_namespace()
            try:
                with Netlink() as inner:
                    self._netlink.add_veth(
                        f"port{self._count}", _BRIDGE_INDEX, peer_name=_PORT, peer_index=_PORT_INDEX, peer_netns=namespace
                    )
                    _permit_as_docker_does()
                    inner.up(LOOPBACK)
                    inner.add_address(_PORT_INDEX, ip, self._subnet.prefix)
                    inner.up(_PORT_INDEX)
                    inner.add_default_route(self._subnet.gateway)
            except BaseException:
                os.close(namespace)
                raise
        return SwitchPort(namespace, ip)

    def is_clean(self, port: SwitchPort) -> bool:
        """Whether nothing of the last container is left: a connection that lingers (TIME-WAIT) would block its port for the next one."""
        with entered(port.namespace):
            own = Path("/proc/thread-self/net")
            return not any(lingering(own.joinpath(name).read_text()) for name in ("sockstat", "sockstat6") if own.joinpath(name).exists())

    def remove_port(self, port: SwitchPort) -> None:
        """The namespace goes when nobody holds it any more, and its interfaces with it."""
        os.close(port.namespace)

    def add_address(self, ip: str) -> None:
        """One more address of the switch itself."""
        self._netlink.add_address(_BRIDGE_INDEX, ip, 32)

    def delete_address(self, ip: str) -> None:
        """Take back what `add_address` gave."""
        self._netlink.delete_address(_BRIDGE_INDEX, ip, 32)

    def socket(self, kind: socket.SocketKind) -> socket.socket:
        """A socket of the switch's namespace, which any thread may use."""
        made = socket.socket(socket.AF_INET, kind | socket.SOCK_NONBLOCK)
        if kind == socket.SOCK_STREAM:
            made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        return made

    def close(self) -> None:
        """Let go of the namespace: with the last that holds it, it goes, and all interfaces in it."""
        self._netlink.close()
        unpin(self.path)
        os.close(self.namespace)


def lingering(sockstat: str) -> int:
    """Connections that outlived their process, from the text of /proc/net/sockstat or sockstat6."""
    total = 0
    for line in sockstat.splitlines():
        protocol, _, rest = line.partition(":")
        words = rest.split()
        if protocol.startswith("TCP"):
            counts = dict(zip(words[::2], map(int, words[1::2]), strict=True))
            total += counts.get("inuse", 0) + counts.get("tw", 0)
    return total


def _permit_as_docker_does() -> None:
    """Ordinary users in a container may listen on low ports and ping (as with Docker 20.10 and later)."""
    (_SYSCTL / "ip_unprivileged_port_start").write_text("0")
    with contextlib.suppress(OSError):  # in a user namespace without these groups
        (_SYSCTL / "ping_group_range").write_text("0 2147483647")


def _call(program: str, *arguments: str) -> str | None:
    """Run a program in this thread's namespace; returns what went wrong."""
    path = shutil.which(program, path=_ADMIN_PATHS)
    if path is None:
        return f"{program} is not installed"
    try:
        done = run_blocking([path, *arguments], timeout_s=_HELPER_DEADLINE)
    except (OSError, ProcessError) as error:
        return str(error)
    return None if done.code == 0 else f"{program}: {done.complaint}"
