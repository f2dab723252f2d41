"""What runs beside commands: services, started once however many use them, stopped some time after the last user has gone."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from pipelines.engine.codes import Code
from pipelines.engine.embedded.errors import EngineError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Coroutine, Mapping
    from contextlib import AbstractAsyncContextManager

T = TypeVar("T")
IDLE_GRACE = 10.0  # seconds a service goes on after its last user: the next step often uses it too


@dataclass(frozen=True, slots=True)
class ServicePort:
    """A port something listens on; `check` has a TCP port tried before the service counts as started."""

    number: int
    protocol: str = "TCP"
    check: bool = True


@dataclass(frozen=True, slots=True)
class RunningService:
    """A service that can be used.

    Args:
        ip: where: an address of the session's network, or 127.0.0.1 for a tunnel.
        ports: what it listens on, in the order they were asked for.
        ended: done when the service has ended; None: it ends with its last user only.
        blame: gives the error for the one that used it under an alias, once it has ended.
    """

    ip: str
    ports: tuple[ServicePort, ...]
    ended: asyncio.Future[Any] | None = None
    blame: Callable[[str], EngineError] = lambda alias: EngineError(f"bound service {alias} exited")


async def while_up(used: Mapping[str, RunningService], work: Coroutine[Any, Any, T]) -> T:
    """Do work that uses services, by their aliases; when one of them ends first, the work is cancelled.

    Raises:
        EngineError: a service ended: which, and how. An exit code of 0 makes no difference, as with Dagger: it is not there any more.
    """
    if not used:
        return await work
    doing = asyncio.ensure_future(work)
    ends = {up.ended: (alias, up) for alias, up in used.items() if up.ended is not None}
    try:
        await asyncio.wait({doing, *ends}, return_when=asyncio.FIRST_COMPLETED)
    finally:
        if not doing.done():
            doing.cancel()
            await asyncio.wait({doing})
    ended = next((one for end, one in ends.items() if end.done()), None)
    if doing.cancelled() and ended is not None:
        alias, up = ended
        raise up.blame(alias)
    return doing.result()


class StopMode:
    """How a service is to be stopped: known when its time has come."""

    kill = False


class Service(Protocol):
    """Something that can be brought up: a container, ports of the machine, a tunnel."""

    def up(self, runner: ServiceRunner, ending: StopMode) -> AbstractAsyncContextManager[RunningService]:
        """Bring it up and wait until it can be used; leaving the context takes it down as `ending` says."""
        ...


class CannotServe(EngineError):  # noqa: N818 - reads as a sentence where it is raised
    """A service did not start; `seen_by` gives the error for one of its users."""

    code = Code.SERVICE_FAILED

    def seen_by(self, alias: str) -> EngineError:  # noqa: ARG002 - for those that name it
        """The error for one user, who knows the service as `alias`."""
        return self


class _Running:
    """One service of the session: one task opens and closes all of it, so that what was opened first is closed last, for any user."""

    def __init__(self, runner: ServiceRunner, service: Service) -> None:
        self.ending = StopMode()
        self.users = 0
        self.timer: asyncio.TimerHandle | None = None
        loop = asyncio.get_running_loop()
        self.up: asyncio.Future[RunningService] = loop.create_future()
        self._stop: asyncio.Future[None] = loop.create_future()
        self._life = loop.create_task(self._live(runner, service))

    @property
    def over(self) -> bool:
        """Whether it has failed or ended, or is being stopped."""
        return self._stop.done() or self._life.done() or self._has_ended()

    def _has_ended(self) -> bool:
        """Whether the service has ended; what was made for it may still be there."""
        if not self.up.done() or self.up.exception() is not None:
            return False
        ended = self.up.result().ended
        return ended is not None and ended.done()

    async def stop(self, *, kill: bool = False) -> None:
        """Take it down; one that is still coming up is given up. Returns when nothing of it is left, or raises what went wrong."""
        self.cancel_timer()
        self.ending.kill |= kill
        if not self._stop.done():
            self._stop.set_result(None)
        if not self.up.done():
            self._life.cancel()
        await asyncio.wait({self._life})
        if not self._life.cancelled() and (problem := self._life.exception()):
            raise problem

    def cancel_timer(self) -> None:
        if self.timer is not None:
            self.timer.cancel()
            self.timer = None

    async def _live(self, runner: ServiceRunner, service: Service) -> None:
        try:
            async with service.up(runner, self.ending) as up:
                self.up.set_result(up)
                ends = [self._stop] if up.ended is None else [self._stop, up.ended]
                await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
        except Exception as problem:
            if self.up.done():
                raise
            self._fail(problem)
        finally:
            if not self.up.done():  # cancelled: by `stop`
                self._fail(EngineError("the service was stopped before it was up"))

    def _fail(self, problem: Exception) -> None:
        self.up.set_exception(problem)
        self.up.exception()  # looked at, so that asyncio does not report it: perhaps nothing waits any more


class ServiceRunner:
    """The services of a session, by key: two who ask for one key share one service.

    Args:
        grace: seconds a service is kept after its last user.
    """

    def __init__(self, *, grace: float = IDLE_GRACE) -> None:
        self._grace = grace
        self._services: dict[str, _Running] = {}
        self._stopping: set[asyncio.Task[None]] = set()

    async def start(self, key: str, service: Service) -> RunningService:
        """Start a service that stays until `stop` or the end of the session.

        Raises:
            EngineError: it did not come up.
        """
        running = self._enter(key, service)
        try:
            return await self._wait(running, "")
        except BaseException:
            self._leave(key, running)
            raise

    @asynccontextmanager
    async def using(self, key: str, service: Service, *, alias: str = "") -> AsyncIterator[RunningService]:
        """Use a service, started if it is not there; errors call it `alias` too.

        Raises:
            EngineError: it did not come up.
        """
        running = self._enter(key, service)
        try:
            yield await self._wait(running, alias)
        finally:
            self._leave(key, running)

    async def stop(self, key: str, *, kill: bool = False) -> None:
        """Stop a service, also when it is in use; nothing happens when it does not run."""
        if running := self._services.pop(key, None):
            await running.stop(kill=kill)

    async def close(self) -> None:
        """Stop all services, the ones they use last."""
        while self._services:
            services, self._services = self._services, {}
            await asyncio.gather(*(running.stop() for running in services.values()), return_exceptions=True)
        await asyncio.gather(*self._stopping, return_exceptions=True)

    def _enter(self, key: str, service: Service) -> _Running:
        running = self._services.get(key)
        if running is None or running.over:
            running = self._services[key] = _Running(self, service)
        running.cancel_timer()
        running.users += 1
        return running

    async def _wait(self, running: _Running, alias: str) -> RunningService:
        try:
            return await asyncio.shield(running.up)
        except CannotServe as problem:
            raise problem.seen_by(alias) from problem

    def _leave(self, key: str, running: _Running) -> None:
        running.users -= 1
        if running.users:
            return
        if running.up.done() and running.up.exception() is None and not running.over:
            running.timer = asyncio.get_running_loop().call_later(self._grace, self._retire, key, running)
        else:
            self._retire(key, running)

    def _retire(self, key: str, running: _Running) -> None:
        if self._services.get(key) is running:
            del self._services[key]
        task = asyncio.ensure_future(running.stop())
        self._stopping.add(task)
        task.add_done_callback(self._stopping.discard)
