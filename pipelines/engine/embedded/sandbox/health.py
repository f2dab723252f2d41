"""When a service counts as started."""

from __future__ import annotations

import asyncio
import contextlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pipelines.engine.embedded.errors import EngineError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pipelines.engine.embedded.network.switch import Switch
    from pipelines.engine.embedded.sandbox.running import Running
    from pipelines.engine.embedded.sandbox.services import Port

_FIRST_PAUSE, _LONGEST_PAUSE = 0.005, 0.25  # seconds between two tries of a port
_DIAL_DEADLINE = 1.0  # seconds one try of a port may take


@dataclass(frozen=True, slots=True)
class Health:
    """A command that says whether a container is well, as HEALTHCHECK of a Dockerfile has it. Times in seconds.

    Args:
        args: the command; exit code 0 is well.
        interval: the pause between two checks.
        timeout: how long one check may take.
        start_period: how long failures are not counted after the start.
        start_interval: the pause between two checks in that time.
        retries: failures in a row that make it unwell.
    """

    args: tuple[str, ...]
    interval: float = 30.0
    timeout: float = 30.0
    start_period: float = 0.0
    start_interval: float = 5.0
    retries: int = 3


async def ports_open(switch: Switch, ip: str, ports: Sequence[Port]) -> None:
    """Return when every TCP port that is to be checked accepts a connection; without a time limit, as programs may take long to start."""
    for port in ports:
        if port.check and port.protocol == "TCP":
            await _port_open(switch, ip, port.number)


async def _port_open(switch: Switch, ip: str, port: int) -> None:
    pause = _FIRST_PAUSE
    while True:
        with contextlib.suppress(OSError, TimeoutError):
            (await asyncio.wait_for(switch.dial(ip, port), _DIAL_DEADLINE)).close()
            return
        await asyncio.sleep(pause)
        pause = min(2 * pause, _LONGEST_PAUSE)


async def health_command(running: Running, health: Health) -> None:
    """Return when the health command succeeds.

    Raises:
        EngineError: it failed `retries` times in a row after the start period.
    """
    loop = asyncio.get_running_loop()
    counted_from = loop.time() + health.start_period
    failures = 0
    while failures < health.retries:
        if await _is_well(running, health):
            return
        starting = loop.time() < counted_from
        failures += not starting
        await asyncio.sleep(health.start_interval if starting else health.interval)
    raise EngineError(f"the health check failed {failures} times: {' '.join(health.args)}")


async def _is_well(running: Running, health: Health) -> bool:
    try:
        return (await asyncio.wait_for(running.exec(health.args), health.timeout)).code == 0
    except (TimeoutError, EngineError):
        return False
