"""When a service counts as started."""

from __future__ import annotations

import asyncio
import contextlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pipelines.engine.embedded.errors import EngineError, ExecError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pipelines.engine.embedded.network.switch import Switch
    from pipelines.engine.embedded.sandbox.running import RunningCommand
    from pipelines.engine.embedded.sandbox.services.runner import ServicePort
    from pipelines.engine.embedded.sandbox.spec import Stream

_FIRST_PAUSE, _LONGEST_PAUSE = 0.005, 0.25  # seconds between two tries of a port
_PAUSE = 5.0  # seconds between two checks where the image does not say
_HEARD = 16 * 1024  # bytes of each stream of a check that an error carries
_DIAL_DEADLINE = 1.0  # seconds one try of a port may take


@dataclass(frozen=True, slots=True)
class HealthProbe:
    """A command that says whether a container is well, as HEALTHCHECK of a Dockerfile has it. Times in seconds.

    Args:
        args: the command; exit code 0 means healthy.
        interval: the pause between two checks where `start_interval` is not given.
        timeout: how long one check may take.
        start_period: how long failures are not counted after the start.
        start_interval: the pause between two checks: all of them are made while the service starts.
        retries: failures after which it is unhealthy.
    """

    args: tuple[str, ...]
    interval: float | None = None
    timeout: float = 30.0
    start_period: float = 0.0
    start_interval: float | None = None
    retries: int = 3

    @property
    def pause(self) -> float:
        """Seconds between two checks, as Dagger has it (core/healthcheck.go)."""
        return self.start_interval or self.interval or _PAUSE


async def ports_open(switch: Switch, ip: str, ports: Sequence[ServicePort]) -> None:
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


async def health_command(running: RunningCommand, health: HealthProbe) -> None:
    """Return when the health command succeeds.

    Raises:
        EngineError: it failed `retries` times after the start period; an ExecError of the last time, where it ran to an end.
    """
    loop = asyncio.get_running_loop()
    counted_from = loop.time() + health.start_period
    failures = 0
    while problem := await _problem(running, health):
        failures += loop.time() >= counted_from
        if failures >= health.retries:
            raise problem
        await asyncio.sleep(health.pause)


async def _problem(running: RunningCommand, health: HealthProbe) -> EngineError | None:
    """What one check found; None: the container is healthy."""
    said: dict[Stream, list[bytes]] = {"stdout": [], "stderr": []}

    def collect(stream: Stream, data: bytes) -> None:
        if sum(map(len, said[stream])) < _HEARD:
            said[stream].append(data)

    try:
        exit_ = await asyncio.wait_for(running.exec(health.args, collect), health.timeout)
    except TimeoutError:
        return EngineError(f"no answer within {health.timeout:g} s: {' '.join(health.args)}")
    except EngineError as problem:
        return problem
    if exit_.code == 0:
        return None
    out, err = (b"".join(said[stream])[:_HEARD].decode(errors="replace").removesuffix("\n") for stream in ("stdout", "stderr"))
    return ExecError(health.args, exit_.code, out, err)
