"""Ports of EXPOSE: ``[ip:][host:]port[-port][/protocol]``; only the container's side means anything in an image."""

from __future__ import annotations

from pipelines.engine.embedded.dockerfile.errors import Fault

HIGHEST = 65535
PROTOCOLS = frozenset({"tcp", "udp", "sctp"})


def exposed(text: str) -> tuple[str, ...]:
    """``80`` → ``80/tcp``; ``7000-7001/udp`` → both.

    Raises:
        Fault: for what is not a port.
    """
    container = text.rsplit(":", 1)[-1]
    numbers, _, protocol = container.partition("/")
    if not numbers:
        raise Fault(f'invalid port: "{text}": no port specified')
    if protocol and protocol.lower() not in PROTOCOLS:
        raise Fault(f'invalid port: "{text}": invalid proto: {protocol}')
    first, last = _range(numbers)
    return tuple(f"{number}/{protocol.lower() or 'tcp'}" for number in range(first, last + 1))


def _range(text: str) -> tuple[int, int]:
    start, dash, end = text.partition("-")
    numbers = (start, end) if dash else (start, start)
    if not all(number.isascii() and number.isdigit() and int(number) <= HIGHEST for number in numbers) or int(numbers[0]) > int(numbers[1]):
        raise Fault(f"invalid containerPort: {text}")
    return int(numbers[0]), int(numbers[1])
