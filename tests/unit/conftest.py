"""Unit tests see a machine without settings: whoever runs them may have some. And a clock that jumps instead of waiting."""

from __future__ import annotations

import asyncio
import os
import selectors
from typing import TYPE_CHECKING, Any, TypeVar

import pytest

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

Value = TypeVar("Value")


@pytest.fixture(autouse=True)
def no_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    """None of our variables, no open session, and the name the script has."""
    for name in [name for name in os.environ if name.startswith(("LOCKGATE_", "DAGGER_", "_EXPERIMENTAL_DAGGER_"))]:
        if name not in {"LOCKGATE_CACHE", "LOCKGATE_CONFIG_DIRS"}:
            monkeypatch.delenv(name)
    monkeypatch.setattr("sys.argv", ["lockgate"])


class JumpingSelector(selectors.DefaultSelector):
    """Where the loop would wait for time to pass, time passes."""

    now = 0.0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        ready = super().select(timeout if timeout is None else 0)
        if not ready and timeout is not None:
            self.now += timeout
        return ready


class JumpingLoop(asyncio.SelectorEventLoop):
    """An event loop on its own clock, which begins at 0."""

    def __init__(self) -> None:
        self._clock = JumpingSelector()
        super().__init__(self._clock)

    def time(self) -> float:
        return self._clock.now


def jump(main: Callable[[], Awaitable[Value]]) -> Value:
    """Run a coroutine function on the jumping clock."""

    async def wrapped() -> Value:
        return await main()

    with asyncio.Runner(loop_factory=JumpingLoop) as runner:
        return runner.run(wrapped())


@pytest.fixture(scope="session")
def on_jumping_clock() -> Callable[[Callable[[], Awaitable[Any]]], Any]:
    return jump
