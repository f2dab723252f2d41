"""Which addresses a session uses, and what a container's resolv.conf says."""

from __future__ import annotations

import ipaddress
import socket
import struct
from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from pipelines.engine.embedded.errors import NetworkError

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

_CANDIDATES = ("10.87.0.0/16", "10.187.0.0/16", "172.29.0.0/16", "192.168.0.0/16")
_FIELDS = 8  # of /proc/net/route: interface, destination, gateway, flags, refcount, use, metric, mask …


@dataclass(frozen=True, slots=True)
class Subnet:
    """The session's subnet: the gateway first, containers from the bottom up, services of the host in the topmost 255."""

    network: ipaddress.IPv4Network

    @property
    def gateway(self) -> str:
        """The switch's own address, which containers reach everything through."""
        return str(self.network[1])

    @property
    def prefix(self) -> int:
        """Bits of the network part."""
        return self.network.prefixlen

    def containers(self) -> Iterable[str]:
        """Addresses for containers, in order."""
        return (str(self.network[n]) for n in range(2, self.network.num_addresses - 256))

    def host_services(self) -> Iterable[str]:
        """Addresses for services of this machine that containers may reach, in order."""
        return (str(self.network[n]) for n in range(self.network.num_addresses - 255, self.network.num_addresses - 1))


class AddressPool:
    """Hands out addresses one at a time: those never used first, then what came back longest ago."""

    def __init__(self, addresses: Iterable[str]) -> None:
        self._unused = iter(addresses)  # written out, a /16 would cost every session a tenth of a second and 5 MB
        self._back: deque[str] = deque()

    def take(self) -> str:
        """One that nobody has.

        Raises:
            NetworkError: all are taken.
        """
        address = next(self._unused, None)
        if address is not None:
            return address
        if not self._back:
            raise NetworkError("every address of the session's network is in use")
        return self._back.popleft()

    def give_back(self, address: str) -> None:
        """Nobody has the address any more."""
        self._back.append(address)


def choose_subnet(routes: str) -> Subnet:
    """A subnet the machine has no route into, else Dagger's own.

    Args:
        routes: the text of /proc/net/route.
    """
    taken = list(_destinations(routes))
    networks = [ipaddress.IPv4Network(candidate) for candidate in _CANDIDATES]
    free = (network for network in networks if not any(network.overlaps(other) for other in taken))
    return Subnet(next(free, networks[0]))


def _destinations(routes: str) -> Iterable[ipaddress.IPv4Network]:
    for line in routes.splitlines()[1:]:
        fields = line.split()
        if len(fields) >= _FIELDS and int(fields[7], 16):  # the default route overlaps with everything
            address, mask = (socket.inet_ntoa(struct.pack("=I", int(fields[n], 16))) for n in (1, 7))
            yield ipaddress.IPv4Network(f"{address}/{mask}", strict=False)


def own_addresses(trie: str) -> frozenset[str]:
    """The machine's own IPv4 addresses, without loopback.

    Args:
        trie: the text of /proc/net/fib_trie.
    """
    found: set[str] = set()
    address = ""
    for line in trie.splitlines():
        words = line.split()
        if words[:1] == ["|--"] and len(words) > 1:
            address = words[1]
        elif words == ["/32", "host", "LOCAL"] and not ipaddress.IPv4Address(address).is_loopback:
            found.add(address)
    return frozenset(found)


def proxies(environ: Mapping[str, str]) -> frozenset[str]:
    """The hosts that the proxy variables name: a proxy on this machine is there for containers too."""
    values = (value for name, value in environ.items() if name.upper().endswith("_PROXY") and name.upper() != "NO_PROXY")
    return frozenset(host for value in values if (host := _host(value)))


def _host(url: str) -> str | None:
    try:
        return urlsplit(url if "://" in url else f"//{url}").hostname
    except ValueError:
        return None


def resolv_conf(host: str, forwarder: str | None, own: Collection[str] = ()) -> str:
    """The text of a container's resolv.conf(5).

    Args:
        host: the machine's own.
        forwarder: the address that stands for the machine's first resolver, and for those only the machine itself can reach (on its
            loopback, or IPv6); None: there is none. The first one too, because pasta gives every answer of that resolver the forwarder's
            address, so whoever asked the resolver itself would take it for a stranger's.
        own: the machine's own addresses, which containers do not reach.
    """
    servers: list[str] = []
    others: list[str] = []
    for line in host.splitlines():
        words = line.split()
        if words[:1] == ["nameserver"] and len(words) > 1:
            direct = _is_reachable(words[1]) and words[1] not in own and not (forwarder and not servers)
            servers += [words[1]] if direct else [forwarder] if forwarder else []
        elif words[:1] and words[0] in ("search", "domain", "options", "sortlist"):
            others.append(line.strip())
    return "".join(f"{line}\n" for line in [*others, *(f"nameserver {server}" for server in dict.fromkeys(servers))])


def _is_reachable(server: str) -> bool:
    """From a container: over IPv4, and not on the machine's own loopback."""
    try:
        return not ipaddress.IPv4Address(server).is_loopback
    except ipaddress.AddressValueError:
        return False
