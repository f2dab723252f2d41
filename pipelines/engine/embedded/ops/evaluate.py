"""Evaluation of ops: memo → store → inputs → content key → lock → work. No recursion: every op waits in a task of its own."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from pipelines.engine.embedded.errors import EngineError
from pipelines.engine.embedded.ops.files.actions import ActionOp, evaluate_actions
from pipelines.engine.embedded.ops.interface import ComputedOp
from pipelines.engine.embedded.ops.tasks import all_of, in_thread
from pipelines.engine.embedded.ops.values.op import Constant, MountOf, Op, OpOutput
from pipelines.engine.embedded.store.disk_full import disk_full_errors
from pipelines.foundation.single_flight import SingleFlight
from pipelines.foundation.text import shortened

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pipelines.engine.embedded.ops.interface import ClientSession

LABEL = 60  # characters of an op's description in the list of results


@dataclass(slots=True)
class OpEvaluator:
    """Evaluates ops for one session; results are remembered here and, past the session, in the store."""

    session: ClientSession
    _memo: dict[str, OpOutput] = field(default_factory=dict)
    _flights: SingleFlight[OpOutput] = field(default_factory=SingleFlight)

    async def output(self, op: Op) -> OpOutput:
        """What `op` gives."""
        output = self.remembered(op)
        if output is None:
            output = await self._flights.do(op.digest, lambda: self._evaluate(op))
            self._memo[op.digest] = output
        if self.session.work_inputs is not None:
            self.session.work_inputs.done(op)
        return output

    async def outputs(self, ops: Sequence[Op]) -> list[OpOutput]:
        """What several ops give, evaluated concurrently; the first failure cancels the rest."""
        known = [self.remembered(op) for op in ops]
        if self.session.work_inputs is not None:
            for op in (op for op, output in zip(ops, known, strict=True) if output is not None):
                self.session.work_inputs.done(op)
        missing = [op for op, output in zip(ops, known, strict=True) if output is None]
        if len(missing) == 1:
            await self.output(missing[0])
        elif missing:
            await all_of(self.output(op) for op in missing)
        return [output if output is not None else self._memo[op.digest] for op, output in zip(ops, known, strict=True)]

    def remembered(self, op: Op) -> OpOutput | None:
        """The output, when this session has it already."""
        return OpOutput(op.snapshot) if isinstance(op, Constant) else self._memo.get(op.digest)

    async def stored(self, digest: str) -> OpOutput | None:
        """The output, when the store has it under this digest or key. Asked in a thread: another session may hold the store's index."""
        payload = await in_thread(self.session.store.get, digest)
        return OpOutput.from_json(payload) if payload is not None else None

    async def _evaluate(self, op: Op) -> OpOutput:
        if isinstance(op, MountOf):
            return OpOutput((await self.output(op.inputs[0])).mounts[op.index])
        stored = await self.stored(op.digest)
        if stored is not None:
            self.session.progress.done(op.kind, op.describe(), 0.0, cached=True)
            return stored
        if isinstance(op, ActionOp):
            return await evaluate_actions(self.session, op)
        if not isinstance(op, ComputedOp):
            raise TypeError(f"{type(op).__name__} cannot be worked out")
        inputs = await self.outputs(op.inputs)
        key = await op.key(self.session, inputs)
        return await self._once(op, inputs, key)

    async def _once(self, op: ComputedOp, inputs: Sequence[OpOutput], key: str) -> OpOutput:
        """The work of `op`, by one process at a time; another's result is taken as it is."""
        store = self.session.store
        async with store.lock(key):
            started = time.monotonic()
            output = await self.stored(key)
            cached = output is not None
            if output is None:
                output = await self._work(op, inputs, key)
            cost = time.monotonic() - started
            self.session.progress.done(op.kind, op.describe(), cost, cached=cached)
            outputs = [name for _, name in output.streams]
            label = f"{op.kind} {shortened(op.describe(), LABEL)}"
            await in_thread(
                store.put, key, output.to_json(), layers=output.layers(), outputs=outputs, cost=cost, alias=[op.digest], label=label
            )
        return output

    async def _work(self, op: ComputedOp, inputs: Sequence[OpOutput], key: str) -> OpOutput:
        started = time.monotonic()
        try:
            with disk_full_errors(self.session.store.root):
                return await op.run(self.session, inputs, key)
        except EngineError as error:
            self.session.progress.failed(op.kind, op.describe(), time.monotonic() - started, error.message)
            raise
