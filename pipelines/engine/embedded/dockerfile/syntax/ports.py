"""Ports of EXPOSE: ``[ip:][host:]port[-port][/protocol]``; only the container's side means anything in an image."""

from __future__ import annotations

import ipaddress

from pipelines.engine.embedded.dockerfile.errors import Fault
from pipelines.engine.embedded.dockerfile.syntax.numbers import whole_number

HIGHEST = 65535
PROTOCOLS = frozenset({"tcp", "udp", "sctp"})


def exposed(text: str) -> tuple[str, ...]:
    """``80`` → ``80/tcp``; ``7000-7001/udp`` → both.

    Raises:
        Fault: for what is not a port.
    """
    *before, container = text.rsplit(":", 2)
    numbers, _, protocol = container.partition("/")
    if not numbers:
        raise Fault(f'invalid port: "{text}": no port specified')
    if protocol and protocol.lower() not in PROTOCOLS:
        raise Fault(f'invalid port: "{text}": invalid proto: {protocol}')
    first, last = _range(numbers, "containerPort")
    if before and before[-1]:
        start, end = _range(before[-1], "hostPort")
        if end - start != last - first and first != last:
            raise Fault(f"invalid ranges specified for container and host Ports: {numbers} and {before[-1]}")
    _check_address(before[0] if len(before) > 1 else "")
    return tuple(f"{number}/{protocol.lower() or 'tcp'}" for number in range(first, last + 1))


def _check_address(text: str) -> None:
    plain = text[1:-1] if text.startswith("[") and text.endswith("]") else text
    try:
        if plain:
            ipaddress.ip_address(plain)
    except ValueError:
        raise Fault(f"invalid IP address: {text}") from None


def _range(text: str, side: str) -> tuple[int, int]:
    start, dash, end = text.partition("-")
    numbers = [whole_number(number, HIGHEST) for number in ((start, end) if dash else (start, start))]
    if numbers[0] is None or numbers[1] is None or numbers[0] > numbers[1]:
        raise Fault(f"invalid {side}: {text}")
    return numbers[0], numbers[1]
