"""The engine of a run: opened when a step first asks for it, and closed when all have ended."""

from __future__ import annotations

import contextlib
from contextvars import ContextVar
from typing import TYPE_CHECKING

import anyio

from pipelines.engine.engine_lines import requester_id
from pipelines.engine.lifetime import Lifetime
from pipelines.engine.limits import not_told
from pipelines.engine.versions import mismatch
from pipelines.errors import Unavailable
from pipelines.flow.future_value import FutureValue
from pipelines.model import EngineKind

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator, Mapping
    from contextlib import AbstractContextManager
    from pathlib import Path

    import dagger

    from pipelines.engine.choice import Choice
    from pipelines.flow.context import RunContext
    from pipelines.flow.dependencies import RunDependencies
    from pipelines.model import EngineInfo, EngineSpec
    from pipelines.steps.definition import StepDef


_WORKING: ContextVar[str | None] = ContextVar("working", default=None)
"""The step that works in the task at hand."""
WAITING_S = 10.0
"""So often it is said that an engine is still waited for."""


class RunEngine:
    """`client` is what steps wait for; `info` is known once the engine answers; `lifetime` tells its session when to end.

    `needing` are the ids of the steps that cannot go on without an engine.
    """

    def __init__(self, dependencies: RunDependencies, context: RunContext, needing: frozenset[str] = frozenset()) -> None:
        self._wanted = anyio.Event()
        self._beside = False
        self.client: FutureValue[object] = FutureValue(self.want)
        self.lifetime = Lifetime()
        self.info: EngineInfo | None = None
        self._dependencies = dependencies
        self._ready = context.sink.engine_ready
        self._note = context.note
        self._steps = needing
        self._over = anyio.Event()
        self._needing: set[anyio.CancelScope] = set()
        context.stop.on_request(lambda _signum: self.lifetime.shorten_waits())

    def want(self) -> None:
        """Start the engine now, where it has not been started."""
        self._wanted.set()

    async def ready(self, step: StepDef) -> None:
        """Wait for the engine where the step may use it without asking. When there is none, the step finds that out by itself."""
        if step.uses_engine and self._beside:
            self.want()
            await self.client.wait()

    def client_at_once(self) -> dagger.Client:
        """A client that puts calls together while the engine is still starting; asking for it starts the engine."""
        from pipelines.engine.waiting_client import waiting_client

        self.want()
        return waiting_client(self.client.get, self._asking)

    def _asking(self) -> AbstractContextManager[None]:
        """What says to the embedded engine which step asks; to another one nothing is sent."""
        step_id = _WORKING.get()
        if step_id is None or self.info is None or self.info.kind != EngineKind.EMBEDDED:
            return contextlib.nullcontext()
        return self._dependencies.asking(requester_id(step_id))

    @contextlib.asynccontextmanager
    async def beside(
        self, spec: EngineSpec, environ: Mapping[str, str], log: Callable[[str], None], work_inputs: Path
    ) -> AsyncIterator[None]:
        """Hold an engine open, from when it is first asked for until the context ends.

        `log` takes its lines, and it may leave `work_inputs` behind.

        One that cannot be had is an error for whoever asks for the client.

        Raises:
            UsageError: the environment contradicts itself.
        """
        self._beside = True
        choice: Choice | None = None
        if not self._dependencies.keeps_results(spec, environ):  # else it is chosen, with a look at the machine, when it is needed
            try:
                choice = self._dependencies.choose(spec, environ)
            except Unavailable as error:
                self.client.fail(error)
                yield
                return
        self.lifetime.start_s = spec.start_s
        async with anyio.create_task_group() as group:
            group.start_soon(self._hold, choice, spec, environ, log, work_inputs)
            group.start_soon(self._tell_waiting)
            try:
                yield
            finally:
                # An engine that never answered is not waited for; one that did is closed in its own order.
                if not self.client.settled:
                    group.cancel_scope.cancel()
                self._over.set()

    @contextlib.contextmanager
    def around(self, step: StepDef) -> Iterator[None]:
        """Work of a step: one that needs the engine ends when the engine goes away.

        The embedded engine is told who asks, so that it can tell whose commands print what; to another one nothing is sent.

        Raises:
            EngineUnavailable: the engine went away, now or before.
        """
        with contextlib.ExitStack() as stack:
            if step.id in self._steps:
                stack.enter_context(self.needed())
            token = _WORKING.set(step.id)
            stack.callback(_WORKING.reset, token)
            stack.enter_context(self._asking())
            yield

    @contextlib.contextmanager
    def needed(self) -> Iterator[None]:
        """Work that needs the engine: it is ended when the engine goes away.

        Raises:
            EngineUnavailable: the engine went away, now or before.
        """
        if self.lifetime.error is not None:
            raise self.lifetime.error
        with anyio.CancelScope() as scope:
            self._needing.add(scope)
            try:
                yield
            finally:
                self._needing.discard(scope)
        if scope.cancelled_caught and self.lifetime.error is not None:
            raise self.lifetime.error

    async def _hold(
        self, choice: Choice | None, spec: EngineSpec, environ: Mapping[str, str], log: Callable[[str], None], work_inputs: Path
    ) -> None:
        await self._wanted.wait()
        try:
            chosen = choice or self._dependencies.choose(spec, environ)
            async with self._dependencies.open_engine(chosen, log, work_inputs, self.lifetime) as info:
                self.info = info
                self._ready(info)
                if info.kind == EngineKind.DAGGER:
                    for said in filter(None, (mismatch(info.version, info.sdk), not_told(spec))):
                        self._note(said)
                self.client.set(self._dependencies.client())
                async with anyio.create_task_group() as group:
                    group.start_soon(self._end_work_when_lost)
                    await self._over.wait()
                    group.cancel_scope.cancel()
        except Exception as error:  # noqa: BLE001 - whatever keeps the engine away is told to the steps that need it
            if self.client.settled:
                self._note(f"the engine did not close cleanly: {error}")
            else:
                self.client.fail(error)

    async def _end_work_when_lost(self) -> None:
        error = await self.lifetime.lost()
        self._note("; ".join(error.lines()[:2]))
        for scope in tuple(self._needing):
            scope.cancel()

    async def _tell_waiting(self) -> None:
        """Say now and then that the engine is still waited for."""
        await self._wanted.wait()
        began = anyio.current_time()
        while True:
            with anyio.move_on_after(WAITING_S):
                await self.client.wait()
                return
            limit = f" of at most {self.lifetime.start_s:g} s" if self.lifetime.start_s is not None else ""
            self._note(f"the engine does not answer yet: {anyio.current_time() - began:.0f} s{limit}")
