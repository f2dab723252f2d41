"""A client of an engine that is still starting, or not asked for yet: calls are put together at once, the first request waits."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any, cast

from pipelines.engine.sdk_import import import_sdk, prepare_sdk

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from contextlib import AbstractContextManager

    import dagger


class _WaitingConnection:
    """What a client of the SDK asks of its connection (`dagger.client._session.BaseConnection`), answered by the global one in the end."""

    def __init__(self, wait: Callable[[], Awaitable[object]], within: Callable[[], AbstractContextManager[None]]) -> None:
        self._wait = wait
        self._within = within

    @property
    def session(self) -> _WaitingConnection:
        """The session; it is this."""
        return self

    async def get_schema(self) -> Any:
        """The engine's schema."""
        return await (await self._session()).get_schema()

    async def execute(self, request: Any) -> Any:
        """The answer to a request."""
        session = await self._session()
        with self._within():
            return await session.execute(request)

    async def _session(self) -> Any:
        import dagger

        await self._wait()
        return dagger.dag._ctx.conn.session  # noqa: SLF001 - the SDK has no public way to hand a request on


def waiting_client(
    wait: Callable[[], Awaitable[object]], within: Callable[[], AbstractContextManager[None]] = contextlib.nullcontext
) -> dagger.Client:
    """A client whose requests go to the engine of `dagger.dag` once `wait` returns. What `wait` raises is raised by the request.

    A request is made `within` a context, such as one that says who asks.
    """
    prepare_sdk()
    import_sdk()
    import dagger

    return cast("dagger.Client", dagger.Client.from_connection(cast("Any", _WaitingConnection(wait, within))))
