from __future__ import annotations

import ipaddress
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.engine.embedded.errors import NetworkError
from pipelines.engine.embedded.network.addresses import Addresses, choose_subnet, resolv_conf

HEADER = "Iface\tDestination\tGateway\tFlags\tRefCnt\tUse\tMetric\tMask\tMTU\tWindow\tIRTT\n"


def routes(*networks: str) -> str:
    """What /proc/net/route shows: addresses as the machine stores them."""

    def number(address: ipaddress.IPv4Address) -> str:
        return f"{struct.unpack('=I', address.packed)[0]:08X}"

    lines = [(number(n.network_address), number(n.netmask)) for n in map(ipaddress.IPv4Network, networks)]
    return HEADER + "".join(f"eth0\t{to}\t00000000\t0001\t0\t0\t0\t{mask}\t0\t0\t0\n" for to, mask in lines)


@pytest.mark.parametrize(
    ("taken", "chosen"),
    [
        ((), "10.87.0.0/16"),
        (("0.0.0.0/0", "192.0.2.0/24"), "10.87.0.0/16"),
        (("0.0.0.0/0", "10.87.3.0/24"), "10.187.0.0/16"),
        (("10.0.0.0/8",), "172.29.0.0/16"),
        (("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16"), "10.87.0.0/16"),
    ],
)
def test_a_subnet_the_machine_does_not_use(taken: tuple[str, ...], chosen: str) -> None:
    assert str(choose_subnet(routes(*taken)).network) == chosen


def test_containers_and_host_services_never_share_an_address() -> None:
    subnet = choose_subnet(HEADER)
    containers, services = set(subnet.containers()), set(subnet.host_services())
    assert not containers & services
    assert subnet.gateway not in containers | services
    assert str(subnet.network.broadcast_address) not in containers | services
    assert len(services) > 200


def test_resolvers_of_the_network_are_used_as_they_are() -> None:
    text = "# made by x\nsearch example.com\nnameserver 192.0.2.1\nnameserver 192.0.2.2\noptions ndots:2\n"
    assert resolv_conf(text, None) == "search example.com\noptions ndots:2\nnameserver 192.0.2.1\nnameserver 192.0.2.2\n"


@pytest.mark.parametrize("local", ["127.0.0.53", "127.0.0.1", "::1", "fe80::1%eth0"])
def test_resolvers_only_the_machine_reaches_are_forwarded(local: str) -> None:
    text = f"nameserver {local}\nnameserver 192.0.2.1\n"
    assert resolv_conf(text, "169.254.1.1") == "nameserver 169.254.1.1\nnameserver 192.0.2.1\n"
    assert resolv_conf(text, None) == "nameserver 192.0.2.1\n"


def test_the_first_resolver_is_asked_through_the_forwarder() -> None:
    text = "nameserver 192.0.2.1\nnameserver 192.0.2.2\n"
    assert resolv_conf(text, "169.254.1.1") == "nameserver 169.254.1.1\nnameserver 192.0.2.2\n"


def test_a_machine_without_resolvers_has_none_for_containers() -> None:
    assert resolv_conf("search example.com\n", "169.254.1.1") == "search example.com\n"


@given(st.text())
def test_no_resolv_conf_breaks_anything(text: str) -> None:
    for server in (line.split()[1] for line in resolv_conf(text, None).splitlines() if line.startswith("nameserver")):
        assert not ipaddress.IPv4Address(server).is_loopback


def test_an_address_is_used_again_only_when_no_new_one_is_left() -> None:
    addresses = Addresses(["10.0.0.2", "10.0.0.3", "10.0.0.4"])
    first = addresses.take()
    second = addresses.take()
    addresses.give_back(second)
    addresses.give_back(first)
    assert [addresses.take() for _ in range(3)] == ["10.0.0.4", second, first]
    with pytest.raises(NetworkError, match="every address"):
        addresses.take()
