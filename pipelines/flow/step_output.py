"""What leaves the steps of a run for people: logs and results, masked."""

from __future__ import annotations

import dataclasses
import functools
from typing import TYPE_CHECKING

import anyio
import anyio.to_thread

from pipelines.flow.annotations import same_type
from pipelines.flow.masking import mask_files, masked_copy
from pipelines.foundation.redaction import SHORTEST
from pipelines.steps.definition import CONTEXT, StepContext

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

    from pipelines.flow.context import RunContext
    from pipelines.flow.folder import RunFolder
    from pipelines.flow.listener import EngineListener
    from pipelines.flow.log_writer import LogWriter
    from pipelines.flow.state_file import StateFile
    from pipelines.foundation.redaction import Redactor
    from pipelines.model import Result
    from pipelines.steps.definition import StepDef

_MANY = 200
"""Findings and test cases whose masking is noticed by other steps."""


class StepOutput:
    """Connects the `log` and `mask` of a step's context to its log file and to what is masked."""

    def __init__(
        self,
        context: StepContext,
        log: LogWriter,
        redactor: Redactor,
        on_write_error: Callable[[OSError], None] | None = None,
    ) -> None:
        context.log = log.write
        context.mask = self._mask
        self.context = context
        self.log = log
        self._redactor = redactor
        self._on_write_error = on_write_error
        self._known = redactor.value_count

    async def close(self, result: Result) -> Result:
        """End the log; a copy of the result for people: without secrets, with the log's path and last lines. What takes time is
        done beside the event loop.
        """
        await self.log.drain()
        tail = self.log.close()
        self._known = self._redactor.value_count
        clean, errors = result, tuple[OSError, ...]()
        if self._redactor:
            heavy = bool(result.artifacts) or len(result.findings) + len(result.cases) > _MANY
            clean, errors = await anyio.to_thread.run_sync(self._masked, result) if heavy else self._masked(result)
        for error in errors:
            self._tell(error)
        path = self.log.path
        return dataclasses.replace(clean, tail=tail, log=str(path) if path is not None else None)

    def close_again(self, result: Result) -> Result:
        """Mask what this step has left once more, where a secret became known after it had ended. Blocks."""
        if self._redactor.value_count == self._known:
            return result
        self._known = self._redactor.value_count
        clean, errors = self._masked(result)
        errors += mask_files(tuple(str(path) for path in (self.log.path,) if path is not None), self._redactor)
        for error in errors:
            self._tell(error)
        return clean

    def _tell(self, error: OSError) -> None:
        if self._on_write_error is not None:
            self._on_write_error(error)

    def _masked(self, result: Result) -> tuple[Result, tuple[OSError, ...]]:
        return masked_copy(result, self._redactor), mask_files(result.artifacts, self._redactor)

    def clean(self, text: str) -> str:
        """A text that goes elsewhere than the log, without secrets."""
        return self._redactor.text(text)

    def _mask(self, value: str) -> None:
        if not self._redactor.register(value) and value.strip():
            self.log.write(f"a secret of fewer than {SHORTEST} characters is not masked: too much of the output would be hidden\n")


class StepOutputs:
    """The logs, contexts and folders of the steps of one run. In a `fresh` one their commands run again, whatever a cache has.

    Attributes:
        contexts: what the steps that worked know about themselves, by id.
    """

    def __init__(self, run: RunContext, folder: RunFolder, state: StateFile, listener: EngineListener, *, fresh: bool = False) -> None:
        self.contexts: dict[str, StepContext] = {}
        self._outputs: dict[str, StepOutput] = {}
        self._run = run
        self._folder = folder
        self._state = state
        self._listener = listener
        self._fresh = fresh

    def new(self, step: StepDef) -> StepOutput:
        """The output of a step that begins to work."""
        folder = self._folder.artifacts(step.id)
        attempt = self._run.id if self._fresh else self._state.attempt(step.id)
        context = StepContext(id=step.id, run_id=self._run.id, folder=folder, attempt=attempt)
        self.contexts[step.id] = context
        if any(parameter.annotation is not None and same_type(parameter.annotation, CONTEXT) for parameter in step.parameters):
            self._make(folder)  # a step without its context does not know its folder
        sink = self._run.sink
        log = self._run.log(
            step.id, output=functools.partial(sink.step_output, step.id), progress=functools.partial(sink.step_progress, step.id)
        )
        self._listener.add(step.id, log)
        self._outputs[step.id] = StepOutput(context, log, self._run.redactor, self._run.note_write_error)
        return self._outputs[step.id]

    def masked_again(self, results: Iterable[Result]) -> tuple[Result, ...]:
        """The results, without the secrets that became known after their steps had ended; their files as well. Blocks."""
        return tuple(self._outputs[result.id].close_again(result) if result.id in self._outputs else result for result in results)

    def _make(self, folder: Path) -> None:
        try:
            folder.mkdir(exist_ok=True)
        except OSError as error:
            self._run.note_write_error(error)
