"""A value that is not there yet: an engine that is still starting."""

from __future__ import annotations

from typing import TYPE_CHECKING, Generic, TypeVar

import anyio

if TYPE_CHECKING:
    from collections.abc import Callable

Value = TypeVar("Value")


class FutureValue(Generic[Value]):
    """Set or failed once; everybody who asks waits for that."""

    def __init__(self, on_ask: Callable[[], None] | None = None) -> None:
        self._on_ask = on_ask
        self._done = anyio.Event()
        self._value: Value | None = None
        self._error: Exception | None = None

    def set(self, value: Value) -> None:
        """Give the value to whoever waits."""
        self._value = value
        self._done.set()

    def fail(self, error: Exception) -> None:
        """There will be none: raise the error for whoever asks."""
        self._error = error
        self._done.set()

    @property
    def settled(self) -> bool:
        """Whether waiting is over."""
        return self._done.is_set()

    async def wait(self) -> None:
        """Wait until waiting is over."""
        await self._done.wait()

    async def get(self) -> Value:
        """The value; waits for it."""
        if self._on_ask is not None:
            self._on_ask()
        await self._done.wait()
        if self._error is not None:
            raise self._error
        return self._value  # type: ignore[return-value]  # set before the event is
