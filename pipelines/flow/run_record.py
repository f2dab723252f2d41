"""What a run leaves when it ends, however it ends: its results masked, its state, its reports, and last the record of its end."""

from __future__ import annotations

import contextlib
import dataclasses
from pathlib import Path
from typing import TYPE_CHECKING

from pipelines.errors import ExitCode, LockgateError
from pipelines.flow.masking import masked_copy
from pipelines.flow.outcome import error_exit_code, exit_code
from pipelines.foundation.exceptions import described
from pipelines.model import Run, RunEnd

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from pipelines.flow.context import RunContext
    from pipelines.flow.dependencies import RunDependencies
    from pipelines.flow.folder import ProjectHome, RunFolder
    from pipelines.flow.state_file import StateFile
    from pipelines.flow.step_output import StepOutputs
    from pipelines.model import Result


class RunRecorder:
    """Writes what is known of a run when it ends.

    The exit code is settled before it is written, and the record (run.json) is written last: what it says is how the process ends. When
    the record itself cannot be written there is none, and no report of this run either.
    """

    def __init__(
        self,
        *,
        context: RunContext,
        home: ProjectHome,
        folder: RunFolder,
        state: StateFile,
        outputs: StepOutputs,
        describe: Callable[[], Run],
        dependencies: RunDependencies,
        output: Path | None = None,
    ) -> None:
        self._context = context
        self._home = home
        self._folder = folder
        self._state = state
        self._outputs = outputs
        self._describe = describe
        self._dependencies = dependencies
        self._output = output
        self._recorded: Run | None = None

    def finish(self, results: Iterable[Result], end: RunEnd, error: BaseException | None = None) -> Run:
        """Write everything, even when some of it cannot be written; the run as it was recorded. Blocks: no step is at work any more.

        Raises:
            Exception: a defect in a report; the record says so.
        """
        results = self._outputs.masked_again(results)
        self._folder.tidy(self._outputs.contexts)
        self._state.note(results, self._outputs.contexts)
        run = self._run(results, end, error)
        if (failed := self._context.write_error) is not None:
            run = _with_problem(run, f"logs cannot be written: {failed}")
        copied = self._copied(run)
        try:
            run = self._written(copied)
        except Exception as defect:
            self._copied(self._without_reports(run, defect))
            raise
        if run != copied and self._output is not None:
            self._copied(run)
        self._recorded = run
        self._context.sink.run_finished(run)
        return run

    def kill(self, results: Iterable[Result], signum: int) -> None:
        """Write the record alone: the process ends at once. May be called from any thread."""
        self._folder.release()
        run = self._recorded
        if run is None:
            run = self._run(tuple(masked_copy(result, self._context.redactor) for result in results), RunEnd.KILLED, None)
        run = dataclasses.replace(run, exit_code=128 + signum, end=RunEnd.KILLED)
        with contextlib.suppress(OSError):
            self._home.publish(self._dependencies.write_record(run, self._folder.path))

    def _run(self, results: tuple[Result, ...], end: RunEnd, error: BaseException | None) -> Run:
        signal = self._context.stop.signal
        if error is not None:
            code = error_exit_code(error)
        elif end is RunEnd.CANCELLED and signal is None:
            code = ExitCode.INTERRUPTED
        else:
            code = exit_code(results, signal)
        said = None if error is None else self._context.redactor.text(_said(error))
        return dataclasses.replace(
            self._describe(), results=results, end=end, exit_code=int(code), error=said, duration_s=self._context.elapsed_s()
        )

    def _copied(self, run: Run) -> Run:
        """Write the record into the file that somebody asked for; the run with the problem, if it cannot be written."""
        if self._output is None:
            return run
        try:
            self._dependencies.copy_record(run, self._output)
        except OSError as error:
            problem = f"--output {self._output} cannot be written: {error.strerror or error}"
            self._context.note(problem)
            return _with_problem(run, self._context.redactor.text(problem))
        return run

    def _written(self, run: Run) -> Run:
        try:
            self._write(run)
        except OSError as error:
            self._context.note(f"the reports cannot be written: {error}; free space on the disk, then run again")
            run = _with_problem(run, self._context.redactor.text(f"the reports cannot be written: {error}"))
            self._folder.release()
            self._write_again(run)
        self._folder.release()
        return run

    def _write(self, run: Run) -> None:
        """State, reports, record: in this order.

        Raises:
            OSError: one of them cannot be written.
        """
        self._state.write()
        for report in self._dependencies.write_reports(run, self._folder.path):
            self._home.publish(report)

    def _write_again(self, run: Run) -> None:
        """With what room there is: everything, else the record alone, else a short one. None of what says otherwise is left."""
        with contextlib.suppress(OSError):
            return self._write(run)
        return self._write_record_alone(run)

    def _without_reports(self, run: Run, defect: Exception) -> Run:
        """Record a run whose reports could not be made: that is an error which ends it."""
        said = self._context.redactor.text(_said(defect))
        run = dataclasses.replace(run, end=RunEnd.ERROR, exit_code=int(error_exit_code(defect)), error=run.error or said)
        self._folder.release()
        self._write_record_alone(run)
        self._recorded = run
        return run

    def _write_record_alone(self, run: Run) -> None:
        self._home.retract()
        self._folder.retract()
        for record in (run, _short(run)):
            with contextlib.suppress(OSError):
                self._dependencies.write_record(record, self._folder.path)
                return
        self._context.note("not even the record of this run (run.json) can be written")


def record_problem(home: ProjectHome, run: Run, problem: str) -> Run:
    """The run with a problem that showed when it was over and recorded already; its record says so from now on, where it can be written."""
    from pipelines.report import write_record

    run = _with_problem(run, problem)
    with contextlib.suppress(OSError):
        home.publish(write_record(run, Path(str(run.folder))))
    return run


def _with_problem(run: Run, problem: str) -> Run:
    """The run with what went wrong with itself; that is exit code 4, where nothing else decides."""
    code = ExitCode.UNAVAILABLE if run.exit_code == ExitCode.OK else run.exit_code
    return dataclasses.replace(run, exit_code=int(code), error=run.error or problem)


def _short(run: Run) -> Run:
    """A run with how its steps ended, and nothing that could be long."""
    results = (dataclasses.replace(one, findings=(), cases=(), facts=None, artifacts=(), tail=(), needs=()) for one in run.results)
    return dataclasses.replace(run, results=tuple(results))


def _said(error: BaseException) -> str:
    """An error in one sentence."""
    if not isinstance(error, LockgateError):
        return described(error)
    return error.message + (f" ({error.cause})" if error.cause else "")
