from __future__ import annotations

import ipaddress
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.engine.embedded.errors import NetworkError
from pipelines.engine.embedded.network.addresses import AddressPool, choose_subnet, own_addresses, proxies, resolv_conf

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


TRIE = """Main:
  +-- 0.0.0.0/0 3 0 5
     |-- 0.0.0.0
        /0 universe UNICAST
     +-- 127.0.0.0/8 2 0 2
           |-- 127.0.0.0
              /8 host LOCAL
           |-- 127.0.0.1
              /32 host LOCAL
     +-- 192.0.2.0/24 2 0 2
           |-- 192.0.2.0
              /24 link UNICAST
           |-- 192.0.2.2
              /32 host LOCAL
        |-- 192.0.2.255
           /32 link BROADCAST
Local:
     |-- 198.51.100.7
        /32 host LOCAL
     |-- 192.0.2.2
        /32 host LOCAL
"""


def test_the_machines_own_addresses_are_those_of_all_its_interfaces() -> None:
    assert own_addresses(TRIE) == {"192.0.2.2", "198.51.100.7"}
    assert own_addresses("") == frozenset()


def test_proxies_are_named_by_the_environment() -> None:
    environ = {
        "HTTP_PROXY": "http://user:pw@192.0.2.2:3128/",
        "https_proxy": "198.51.100.7:3128",
        "NO_PROXY": "203.0.113.1",
        "ALL_PROXY": "",
        "FTP_PROXY": "http://[half",
        "OTHER": "http://203.0.113.2",
    }
    assert proxies(environ) == {"192.0.2.2", "198.51.100.7"}


def test_a_resolver_at_an_address_of_the_machine_is_forwarded() -> None:
    text = "nameserver 192.0.2.1\nnameserver 192.0.2.2\nnameserver 203.0.113.9\n"
    forwarded = "nameserver 169.254.1.1\nnameserver 203.0.113.9\n"
    assert resolv_conf(text, "169.254.1.1", {"192.0.2.2"}) == forwarded
    assert resolv_conf(text, None, {"192.0.2.2"}) == "nameserver 192.0.2.1\nnameserver 203.0.113.9\n"


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
    addresses = AddressPool(["10.0.0.2", "10.0.0.3", "10.0.0.4"])
    first = addresses.take()
    second = addresses.take()
    addresses.give_back(second)
    addresses.give_back(first)
    assert [addresses.take() for _ in range(3)] == ["10.0.0.4", second, first]
    with pytest.raises(NetworkError, match="every address"):
        addresses.take()
