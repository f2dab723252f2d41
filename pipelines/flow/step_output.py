"""What leaves one step for people: its log and its result, masked."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

import anyio
import anyio.to_thread

from pipelines.flow.masking import mask_files, masked_copy
from pipelines.foundation.redaction import SHORTEST

if TYPE_CHECKING:
    from collections.abc import Callable

    from pipelines.flow.log_writer import LogWriter
    from pipelines.foundation.redaction import Redactor
    from pipelines.model import Result
    from pipelines.steps.definition import StepContext

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
        self._known = redactor.known

    async def close(self, result: Result) -> Result:
        """End the log; a copy of the result for people: without secrets, with the log's path and last lines. What takes time is
        done beside the event loop.
        """
        tail = self.log.close()
        self._known = self._redactor.known
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
        if self._redactor.known == self._known:
            return result
        self._known = self._redactor.known
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
            self.log.write(f"a secret of fewer than {SHORTEST} characters is not masked: it would hide everything else\n")
