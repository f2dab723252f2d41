"""How a run tells what happens: a passive sink. The flow calls it and never prints; a board or plain lines are attached by the cli.

Every method is called on the event loop's thread, must not block and must not raise. Text is already masked.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from pipelines.flow.plan import Plan
    from pipelines.model import EngineInfo, Result, Run


class Sink(Protocol):
    """Receives the events of one run in this order: `run_started`, then everything else, last `run_finished`."""

    def run_started(self, run_id: str, plan: Plan) -> None:
        """A run begins; the plan holds every step, those that will be skipped too."""

    def engine_ready(self, engine: EngineInfo) -> None:
        """The engine answers; called once, and only when a step needs one."""

    def engine_output(self, text: str) -> None:
        """The engine printed text that belongs to no step, or does not say whose it is (a Dagger engine)."""

    def step_started(self, step_id: str) -> None:
        """A step begins to work: its needs are met and it has its place within the limit of jobs."""

    def step_output(self, step_id: str, text: str) -> None:
        """A step printed text: any number of lines, perhaps a part of one. The output of a command comes when the command has ended."""

    def step_progress(self, step_id: str, line: str, *, whole: bool) -> None:
        """A command of a step printed a line just now, which `step_output` may bring again; or the engine says what it did for the step.

        Not `whole`: what there is of a line so far, which comes again. The embedded engine alone tells this.
        """

    def step_retry(self, step_id: str, reason: str, delay_s: float) -> None:
        """A step met a transient error and tries again after so many seconds."""

    def step_finished(self, result: Result) -> None:
        """A step ended; called for every step of the plan, also for those that never started."""

    def note(self, text: str) -> None:
        """A remark for people that belongs to no step."""

    def run_finished(self, run: Run) -> None:
        """The run ended, its reports are written."""


class NullSink:
    """The sink that does nothing: the default, and a base to override single events of."""

    def run_started(self, run_id: str, plan: Plan) -> None:
        """Do nothing."""

    def engine_ready(self, engine: EngineInfo) -> None:
        """Do nothing."""

    def engine_output(self, text: str) -> None:
        """Do nothing."""

    def step_started(self, step_id: str) -> None:
        """Do nothing."""

    def step_output(self, step_id: str, text: str) -> None:
        """Do nothing."""

    def step_progress(self, step_id: str, line: str, *, whole: bool) -> None:
        """Do nothing."""

    def step_retry(self, step_id: str, reason: str, delay_s: float) -> None:
        """Do nothing."""

    def step_finished(self, result: Result) -> None:
        """Do nothing."""

    def note(self, text: str) -> None:
        """Do nothing."""

    def run_finished(self, run: Run) -> None:
        """Do nothing."""
