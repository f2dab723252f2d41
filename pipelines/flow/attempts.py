"""One step worked on: its tries, its time limit, and whatever it raises turned into an outcome."""

from __future__ import annotations

import traceback
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING

import anyio
from anyio.lowlevel import checkpoint_if_cancelled

from pipelines.errors import EngineLost, InternalError, LockgateError, StepFailed
from pipelines.flow.outcome import StepOutcome, ignored_limit, of_error, of_value, timed_out, worst
from pipelines.flow.step_task import GRACE_S, StepTask
from pipelines.model import Status

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    from pipelines.flow.step_output import StepOutput
    from pipelines.foundation.retry import Backoff
    from pipelines.steps.definition import StepDef


def _never(_error: BaseException) -> bool:
    return False


def _as_is(_error: BaseException) -> LockgateError | None:
    return None


def _nothing(_error: BaseException) -> str:
    return ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ForeignErrors:
    """How errors of foreign libraries are understood: `pipelines.steps.common.dagger_errors`, or nothing at all.

    `transient` says whether another try may help, `translate` gives the error of ours that says the same, `output` what a failed command
    printed.
    """

    transient: Callable[[BaseException], bool] = _never
    translate: Callable[[BaseException], LockgateError | None] = _as_is
    output: Callable[[BaseException], str] = _nothing


@dataclass(slots=True, kw_only=True)
class Attempts:
    """Works on one step. `made` counts the tries, `began` is the clock at the first; `retrying` is told the reason and the delay
    before another one; `lost` is told that the engine went away. A step has `grace_s` seconds to end after its time limit.
    """

    step: StepDef
    output: StepOutput
    foreign: ForeignErrors
    backoff: Backoff
    retrying: Callable[[str, float], None]
    lost: Callable[[EngineLost], None] = lambda _error: None
    grace_s: float = GRACE_S
    made: int = field(default=0, init=False)
    began: float | None = field(default=None, init=False)
    _call: StepTask | None = field(default=None, init=False)

    async def work(self, arguments: Mapping[str, object]) -> StepOutcome:
        """Call the step until it returns, fails for good or runs out of time. Only cancellation from outside gets through.

        A step that catches the end of its time, or does not notice it, has run out of time all the same. One that has not ended
        `grace_s` seconds later is left at work, and this returns.
        """
        limits = self.step.limits
        self.began = anyio.current_time()
        outcome: StepOutcome | None = None
        try:
            with anyio.move_on_after(limits.timeout_s) as scope:
                outcome = await self._outcome(arguments, scope.deadline + self.grace_s)
                await checkpoint_if_cancelled()
        except anyio.get_cancelled_exc_class():
            self.output.log.keep_live()
            raise
        overran = outcome is not None and outcome.status is Status.PASSED and anyio.current_time() > scope.deadline
        if self._call is not None and self._call.abandoned:
            return self.failed(ignored_limit(limits, self.grace_s, self._last()))
        if outcome is None or scope.cancel_called or overran:
            return self.failed(timed_out(limits, self._last()))
        return outcome

    async def _outcome(self, arguments: Mapping[str, object], give_up_at: float) -> StepOutcome:
        try:
            return of_value(await self._tries(arguments, give_up_at))
        except anyio.get_cancelled_exc_class():
            raise
        except BaseException as error:  # noqa: BLE001 - whatever a step raises is its outcome; Ctrl-C comes as a cancellation
            await checkpoint_if_cancelled()  # not what it made of being stopped
            return self.failed(error, own=self.step.own)

    def _last(self) -> str | None:
        """What the step printed last, or how often it was tried."""
        said = self.output.log.last_line()
        tries = f"{self.made} tries" if self.made > 1 else ""
        return ", ".join(part for part in (tries, said) if part) or None

    async def _tries(self, arguments: Mapping[str, object], give_up_at: float) -> object:
        function = self.step.load()
        while True:
            self.made += 1
            self.output.context.cached = False
            try:
                self._call = StepTask(partial(function, **arguments), give_up_at)
                return await _uncancelled(self._call.result(), own=self.step.own)
            except Exception as error:
                if self.made > self.step.limits.retries or not self.foreign.transient(error):
                    raise
                await self._wait(error)

    async def _wait(self, error: Exception) -> None:
        delay_s = self.backoff.delay_s(self.made)
        reason = of_error(self._ours(error, own=self.step.own), own=self.step.own).reason or type(error).__name__
        self.output.log.end_line()
        self.output.log.write(f"{reason}: trying again in {delay_s:.1f} s\n")
        self.retrying(self.output.clean(reason), delay_s)
        await anyio.sleep(delay_s)

    def _ours(self, error: BaseException, *, own: bool) -> BaseException:
        return self.foreign.translate(error) or worst(error, own=own)

    def failed(self, error: BaseException, *, own: bool = False) -> StepOutcome:
        """The outcome of an error, which is written to the log as well: a defect, or an error in the project's own code (`own`), with its
        traceback, there and nowhere else.
        """
        ours = self._ours(error, own=own)
        if isinstance(ours, EngineLost):
            self.lost(ours)
        self.output.log.end_line()
        if output := self.foreign.output(error):
            self.output.log.write(output)
        else:
            self.output.log.keep_live()
        if isinstance(ours, LockgateError) and not isinstance(ours, InternalError):
            self.output.log.write("".join(f"{line}\n" for line in ours.lines()))
        else:
            self.output.log.record("".join(traceback.format_exception(error)))
        return of_error(ours, own=own)


async def _uncancelled(work: Awaitable[object], *, own: bool) -> object:
    """The work's value; a cancellation nobody outside asked for is the step's own error, and must not look like a stop."""
    try:
        return await work
    except anyio.get_cancelled_exc_class():
        await checkpoint_if_cancelled()
        kind = StepFailed if own else InternalError
        raise kind("the step was cancelled from inside", cause="it cancelled its own task, or awaited one that was") from None
