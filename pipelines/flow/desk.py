"""Where one step works: its context, its transcript, its folder. Whatever leaves a step passes here and is masked."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

import anyio
import anyio.to_thread

from pipelines.flow.masked import mask_files, masked
from pipelines.foundation.redaction import SHORTEST

if TYPE_CHECKING:
    from collections.abc import Callable

    from pipelines.flow.transcript import Transcript
    from pipelines.foundation.redaction import Redactor
    from pipelines.model import Result
    from pipelines.steps.definition import StepContext

_MANY = 200
"""Findings and test cases whose masking is noticed by other steps."""


class Desk:
    """One step's place. It connects the context's `log` and `mask` to the transcript and the redactor."""

    def __init__(
        self,
        context: StepContext,
        transcript: Transcript,
        redactor: Redactor,
        trouble: Callable[[OSError], None] | None = None,
    ) -> None:
        context.log = transcript.write
        context.mask = self._mask
        self.context = context
        self.transcript = transcript
        self._redactor = redactor
        self._trouble = trouble
        self._known = redactor.known

    async def close(self, result: Result) -> Result:
        """End the transcript; a copy of the result for people: without secrets, with the log's path and last lines. What takes time is
        done beside the event loop.
        """
        tail = self.transcript.close()
        self._known = self._redactor.known
        clean, errors = result, tuple[OSError, ...]()
        if self._redactor:
            heavy = bool(result.artifacts) or len(result.findings) + len(result.cases) > _MANY
            clean, errors = await anyio.to_thread.run_sync(self._masked, result) if heavy else self._masked(result)
        for error in errors:
            self._tell(error)
        path = self.transcript.path
        return dataclasses.replace(clean, tail=tail, log=str(path) if path is not None else None)

    def close_again(self, result: Result) -> Result:
        """Mask what this step has left once more, where a secret became known after it had ended. Blocks."""
        if self._redactor.known == self._known:
            return result
        self._known = self._redactor.known
        clean, errors = self._masked(result)
        errors += mask_files(tuple(str(path) for path in (self.transcript.path,) if path is not None), self._redactor)
        for error in errors:
            self._tell(error)
        return clean

    def _tell(self, error: OSError) -> None:
        if self._trouble is not None:
            self._trouble(error)

    def _masked(self, result: Result) -> tuple[Result, tuple[OSError, ...]]:
        return masked(result, self._redactor), mask_files(result.artifacts, self._redactor)

    def clean(self, text: str) -> str:
        """A text that goes elsewhere than the transcript, without secrets."""
        return self._redactor.text(text)

    def _mask(self, value: str) -> None:
        if not self._redactor.register(value) and value.strip():
            self.transcript.write(f"a secret of fewer than {SHORTEST} characters is not masked: it would hide everything else\n")
