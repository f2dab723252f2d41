"""The few rtnetlink(7) requests a switch needs. Spoken directly: a library
for all of netlink takes 0.1 s to import, a quarter of what a session may take to open.

Constants and layouts: linux/rtnetlink.h, linux/if_link.h, linux/if_addr.h, linux/veth.h.
"""

from __future__ import annotations

import ipaddress
import os
import socket
import struct
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from types import TracebackType
    from typing import Self

LOOPBACK = 1  # the interface every network namespace begins with

_NETLINK_ROUTE = 0
_NEW_LINK, _DELETE_LINK, _NEW_ADDRESS, _DELETE_ADDRESS, _NEW_ROUTE = 16, 17, 20, 21, 24
_ERROR = 2
_REQUEST, _ACK, _EXCLUSIVE, _CREATE = 0x1, 0x4, 0x200, 0x400
_IFLA_ADDRESS, _IFLA_IFNAME, _IFLA_MASTER, _IFLA_LINKINFO, _IFLA_NET_NS_FD = 1, 3, 10, 18, 28
_INFO_KIND, _INFO_DATA, _VETH_PEER = 1, 2, 1
_IFA_ADDRESS, _IFA_LOCAL = 1, 2
_RTA_DST, _RTA_GATEWAY = 1, 5
_UP = 0x1
_TABLE_MAIN, _PROTOCOL_BOOT, _SCOPE_UNIVERSE, _UNICAST, _UNREACHABLE = 254, 3, 0, 1, 7
_HEADER = struct.Struct("=IHHII")


class Netlink:
    """A conversation with the kernel about the network namespace of the thread that opens it; usable from any thread, one at a time."""

    def __init__(self) -> None:
        self._socket = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW | socket.SOCK_CLOEXEC, _NETLINK_ROUTE)
        self._sequence = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """Close the socket."""
        self._socket.close()

    def add_bridge(self, name: str, index: int) -> None:
        """Make a bridge that is up."""
        info = _attribute(_IFLA_LINKINFO, _attribute(_INFO_KIND, b"bridge"))
        self._ask(_NEW_LINK, _link(index, _UP) + _attribute(_IFLA_IFNAME, _text(name)) + info, _CREATE | _EXCLUSIVE)

    def add_veth(self, name: str, bridge: int, *, peer_name: str, peer_index: int, peer_netns: int) -> None:
        """Make a pair of virtual interfaces: one on the bridge with index `bridge`, up; its peer in another namespace (a descriptor)."""
        peer = (
            _link(peer_index, 0) + _attribute(_IFLA_IFNAME, _text(peer_name)) + _attribute(_IFLA_NET_NS_FD, struct.pack("=I", peer_netns))
        )
        info = _attribute(_INFO_KIND, b"veth") + _attribute(_INFO_DATA, _attribute(_VETH_PEER, peer))
        own = _attribute(_IFLA_IFNAME, _text(name)) + _attribute(_IFLA_MASTER, struct.pack("=I", bridge))
        self._ask(_NEW_LINK, _link(0, _UP) + own + _attribute(_IFLA_LINKINFO, info), _CREATE | _EXCLUSIVE)

    def up(self, index: int) -> None:
        """Bring up the interface of this index. OSError: the kernel refuses."""
        self._ask(_NEW_LINK, _link(index, _UP))

    def delete(self, index: int) -> None:
        self._ask(_DELETE_LINK, _link(index, 0))

    def add_address(self, index: int, address: str, prefix: int) -> None:
        """Give an interface, by index, an IPv4 address with so many bits of network. OSError: the kernel refuses."""
        self._ask(_NEW_ADDRESS, _address(index, address, prefix), _CREATE | _EXCLUSIVE)

    def delete_address(self, index: int, address: str, prefix: int) -> None:
        """Take an IPv4 address from an interface, by index. OSError: the kernel refuses."""
        self._ask(_DELETE_ADDRESS, _address(index, address, prefix))

    def add_default_route(self, gateway: str) -> None:
        """Send what has no other route to the gateway. OSError: the kernel refuses."""
        message = struct.pack("=8BI", socket.AF_INET, 0, 0, 0, _TABLE_MAIN, _PROTOCOL_BOOT, _SCOPE_UNIVERSE, _UNICAST, 0)
        self._ask(_NEW_ROUTE, message + _attribute(_RTA_GATEWAY, ipaddress.IPv4Address(gateway).packed), _CREATE | _EXCLUSIVE)

    def add_unreachable(self, address: str) -> None:
        """Refuse whatever goes to an address, with an answer that says so (RTN_UNREACHABLE)."""
        message = struct.pack("=8BI", socket.AF_INET, 32, 0, 0, _TABLE_MAIN, _PROTOCOL_BOOT, _SCOPE_UNIVERSE, _UNREACHABLE, 0)
        self._ask(_NEW_ROUTE, message + _attribute(_RTA_DST, ipaddress.IPv4Address(address).packed), _CREATE | _EXCLUSIVE)

    def _ask(self, kind: int, payload: bytes, flags: int = 0) -> None:
        """Send one request and read its acknowledgement.

        Raises:
            OSError: the kernel refused.
        """
        self._sequence += 1
        self._socket.send(_HEADER.pack(_HEADER.size + len(payload), kind, _REQUEST | _ACK | flags, self._sequence, 0) + payload)
        answer = self._socket.recv(1 << 16)
        _, kind, _, sequence, _ = _HEADER.unpack_from(answer)
        if kind != _ERROR or sequence != self._sequence:
            raise OSError(f"netlink: unexpected answer {kind} to request {self._sequence}")
        (code,) = struct.unpack_from("=i", answer, _HEADER.size)
        if code:
            raise OSError(-code, f"netlink: {os.strerror(-code)}")


def _attribute(kind: int, value: bytes) -> bytes:
    """Type, length and value, padded to four bytes."""
    return struct.pack("=HH", 4 + len(value), kind) + value + bytes(-len(value) % 4)


def _text(value: str) -> bytes:
    return value.encode() + b"\0"


def _link(index: int, flags: int) -> bytes:
    return struct.pack("=BBHiII", socket.AF_UNSPEC, 0, 0, index, flags, flags)


def _address(index: int, address: str, prefix: int) -> bytes:
    packed = ipaddress.IPv4Address(address).packed
    return struct.pack("=4BI", socket.AF_INET, prefix, 0, 0, index) + _attribute(_IFA_LOCAL, packed) + _attribute(_IFA_ADDRESS, packed)
