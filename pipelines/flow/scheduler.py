"""Runs a graph: at most `jobs` steps at the same time. Every step ends as a `Result`, never as an exception of another step."""

from __future__ import annotations

import contextlib
import heapq
import os
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import anyio

from pipelines.errors import Unavailable
from pipelines.flow.attempts import Attempts, ForeignErrors
from pipelines.flow.future_value import FutureValue
from pipelines.flow.graph import FromStep
from pipelines.flow.order import dependents
from pipelines.flow.outcome import StepOutcome, of_value
from pipelines.flow.plan import NOT_SELECTED
from pipelines.flow.step_task import GRACE_S
from pipelines.flow.stop import signal_name
from pipelines.foundation.retry import Backoff
from pipelines.model import Result, Status
from pipelines.steps.definition import CONTEXT

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping
    from contextlib import AbstractContextManager

    from anyio.abc import TaskGroup

    from pipelines.errors import EngineLost
    from pipelines.flow.graph import Binding, Graph, Node
    from pipelines.flow.progress import Sink
    from pipelines.flow.step_output import StepOutput
    from pipelines.flow.stop import Stop
    from pipelines.flow.unchanged.interface import PastResults
    from pipelines.steps.definition import StepDef

_FEWEST = 4  # steps mostly wait for the engine; test, scan and perf of one image shall run at once on the smallest machine


def default_jobs() -> int:
    """How many steps run at the same time where the configuration does not say it."""
    return max(_FEWEST, os.cpu_count() or 1)


async def _ready(_step: StepDef) -> None:
    """Nothing has to be made ready."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SchedulerOptions:
    """How to run.

    `output` makes the log and masking of a step, `around` gives a context its work is done in; with `keep_going` the steps run that do
    not depend on a failure. `lost` is told when a step found the engine gone. `past` has results of
    past runs, for steps that are proved unchanged; `ready` returns when a step may begin to work. The run goes on without a step that is
    still at work `grace_s` seconds after its time limit.
    """

    output: Callable[[StepDef], StepOutput]
    jobs: int = field(default_factory=default_jobs)
    keep_going: bool = True
    foreign: ForeignErrors = field(default_factory=ForeignErrors)
    backoff: Backoff = field(default_factory=Backoff)
    stop: Stop | None = None
    past: PastResults | None = None
    ready: Callable[[StepDef], Awaitable[None]] = _ready
    around: Callable[[StepDef], AbstractContextManager[None]] = lambda _step: contextlib.nullcontext()
    lost: Callable[[EngineLost], None] = lambda _error: None
    grace_s: float = GRACE_S


class Scheduler:
    """One run of one graph. `run` may be cancelled: `results` then still tells what did finish.

    `givens` are the values of given types; a `FutureValue` one is waited for by the steps that take it.
    """

    def __init__(self, graph: Graph, givens: Mapping[str, object], options: SchedulerOptions, sink: Sink) -> None:
        self._graph = graph
        self._givens = givens
        self._options = options
        self._sink = sink
        self._results: dict[str, Result] = {}
        self._values: dict[str, object] = {}  # as the steps returned them; what is in the results is masked, for people
        self._nodes = tuple(graph.nodes.values())
        self._rank = {node.id: rank for rank, node in enumerate(self._nodes)}
        self._dependents = dependents(graph.needs)
        self._open = {step_id: len(node.needs) for step_id, node in graph.nodes.items()}
        self._ready: list[int] = []
        self._free = max(1, options.jobs)
        self._why = "the run was stopped"
        self._began = 0.0

    async def run(self) -> None:
        """Run every selected step whose turn it is; returns when all have ended, or after a stop."""
        self._began = anyio.current_time()
        self._settle_idle()
        try:
            async with anyio.create_task_group() as group:
                if self._options.stop is not None:
                    self._options.stop.on_request(lambda signum: self._stop(group, f"stopped by {signal_name(signum)}"))
                self._start_ready(group)
        finally:
            self.end_rest()

    def results(self, *, rest: str | None = None) -> tuple[Result, ...]:
        """What has ended so far, in the graph's order; with `rest` the others too, as cancelled for that reason.

        May be called from any thread.
        """
        ended = dict(self._results)
        cancelled = () if rest is None else (node for node in self._nodes if node.id not in ended)
        ended |= {node.id: _plain(node, Status.CANCELLED, str(rest)) for node in cancelled}
        return tuple(ended[step_id] for step_id in self._graph.nodes if step_id in ended)

    def end_rest(self, why: str | None = None) -> None:
        """End what never started: after a stop or an error of the run there may be some."""
        for node in self._nodes:
            if node.id not in self._results:
                self._finish(_plain(node, Status.CANCELLED, why or self._why))

    def _settle_idle(self) -> None:
        """End what will not run: steps that are not selected, or whose turn it is not, and whatever needs those."""
        for step_id, node in self._graph.nodes.items():
            reason = node.skip if step_id in self._graph.selected else NOT_SELECTED
            if reason is not None:
                self._finish(_plain(node, Status.SKIPPED, reason))
        for step_id, node in self._graph.nodes.items():
            if not node.needs and step_id not in self._results:
                heapq.heappush(self._ready, self._rank[step_id])

    def _start_ready(self, group: TaskGroup) -> None:
        while self._ready and self._free and not group.cancel_scope.cancel_called:
            node = self._nodes[heapq.heappop(self._ready)]
            if node.id not in self._results:
                self._free -= 1
                group.start_soon(self._work, node, group, name=node.id)

    def _stop(self, group: TaskGroup, why: str) -> None:
        self._why = why
        group.cancel_scope.cancel()

    async def _work(self, node: Node, group: TaskGroup) -> None:
        output = self._options.output(node.definition)
        attempts = Attempts(
            step=node.definition,
            output=output,
            foreign=self._options.foreign,
            backoff=self._options.backoff,
            retrying=lambda reason, delay_s: self._sink.step_retry(node.id, reason, delay_s),
            lost=self._options.lost,
            grace_s=self._options.grace_s,
        )
        outcome = StepOutcome(status=Status.CANCELLED, reason=self._why)
        try:
            outcome = await self._outcome(node, attempts)
        except anyio.get_cancelled_exc_class():
            outcome = StepOutcome(status=Status.CANCELLED, reason=self._why)
            raise
        finally:
            self._free += 1
            self._values[node.id] = outcome.value
            with anyio.CancelScope(shield=True):
                result = await output.close(self._result(node, outcome, attempts))
            self._finish(result)
        if outcome.status is not Status.PASSED and not self._options.keep_going:
            self._stop(group, f"stopped because {node.id} {_ended(outcome.status)}")
        self._start_ready(group)

    async def _outcome(self, node: Node, attempts: Attempts) -> StepOutcome:
        try:
            if (past := await self._past(node, attempts)) is not None:
                return past
            await self._options.ready(node.definition)
            arguments = {name: await self._value(binding, attempts.output) for name, binding in node.bindings.items()}
        except Exception as error:  # noqa: BLE001 - whatever keeps a given away (no engine) is the outcome of the step that asks for it
            return attempts.failed(error)
        self._sink.step_started(node.id)
        try:
            with self._options.around(node.definition):
                return await attempts.work(arguments)
        except Unavailable as error:  # what the step worked with went away
            return attempts.failed(error)

    async def _past(self, node: Node, attempts: Attempts) -> StepOutcome | None:
        """The outcome of a step since whose last pass nothing has changed."""
        if self._options.past is None:
            return None
        attempts.began = anyio.current_time()
        context = attempts.output.context
        found = await self._options.past.find(node.definition, context)
        if found is None:
            return None
        self._sink.step_started(node.id)
        context.cached, context.unchanged_since = True, found.run
        return of_value(found.value)

    def value(self, step_id: str) -> object:
        """What a step returned, as it is: never for people."""
        return self._values.get(step_id)

    async def _value(self, binding: Binding, output: StepOutput) -> object:
        if isinstance(binding, FromStep):
            return self._values[binding.id]
        value = output.context if binding.type == CONTEXT else self._givens[binding.type]
        return await value.get() if isinstance(value, FutureValue) else value

    def _result(self, node: Node, outcome: StepOutcome, attempts: Attempts) -> Result:
        now = anyio.current_time()
        began = now if attempts.began is None else attempts.began
        return Result(
            **_names(node),
            **outcome.fields(),
            started_s=began - self._began,
            duration_s=now - began,
            cached=attempts.output.context.cached and outcome.status is Status.PASSED,
            attempts=max(1, attempts.made),
            unchanged_since=attempts.output.context.unchanged_since,
        )

    def _finish(self, result: Result) -> None:
        """Note a result, and end what waited for it in vain, however long the chain."""
        todo = [result]
        for ended in todo:
            if ended.id in self._results:
                continue
            self._results[ended.id] = ended
            self._sink.step_finished(ended)
            for dependent in self._dependents[ended.id]:
                self._open[dependent] -= 1
                if dependent in self._results or dependent not in self._graph.selected:
                    continue
                if not ended:
                    todo.append(self._in_vain(dependent, ended))
                elif self._open[dependent] == 0:
                    heapq.heappush(self._ready, self._rank[dependent])

    def _in_vain(self, step_id: str, need: Result) -> Result:
        node = self._graph.nodes[step_id]
        if need.status is Status.CANCELLED:
            return _plain(node, Status.CANCELLED, self._why)
        why = f" ({need.reason})" if need.status is Status.SKIPPED else ""
        return _plain(node, Status.BLOCKED, f"needs {need.id}, which {_ended(need.status)}{why}")


def _names(node: Node) -> dict[str, Any]:
    step = node.definition
    return {"id": step.id, "kind": step.kind, "name": step.name, "needs": node.needs}


def _plain(node: Node, status: Status, reason: str) -> Result:
    return Result(**_names(node), status=status, reason=reason)


def _ended(status: Status) -> str:
    words = {
        Status.ERROR: "ended with an error",
        Status.BLOCKED: "was blocked",
        Status.SKIPPED: "was skipped",
        Status.CANCELLED: "was cancelled",
    }
    return words.get(status, status.value)
